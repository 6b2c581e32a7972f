//! `trunkline schema`: what a file may say, for editors or for people.

use clap::ValueEnum;

use crate::cli::FINE;
use crate::schema::Language;

/// Print what a file may say, for editors or for people.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Of which files
    #[arg(value_enum)]
    language: LanguageArg,
    #[arg(long, value_enum, default_value = "json")]
    format: SchemaFormat,
}

/// A language, on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum LanguageArg {
    /// The files in `routing-rules/`
    Rules,
    /// `trunkline.toml`
    Config,
    /// The files in `vendors/`
    Vendor,
}

/// How a language is described.
#[derive(Clone, Copy, ValueEnum)]
enum SchemaFormat {
    /// JSON Schema (draft 07)
    Json,
    /// A reference page
    Markdown,
}

impl From<LanguageArg> for Language {
    fn from(language: LanguageArg) -> Language {
        match language {
            LanguageArg::Rules => Language::Rules,
            LanguageArg::Config => Language::Config,
            LanguageArg::Vendor => Language::Vendor,
        }
    }
}

pub(super) fn run(args: &Args) -> u8 {
    let language = Language::from(args.language);
    match args.format {
        SchemaFormat::Json => say!("{:#}", language.schema()),
        SchemaFormat::Markdown => say_whole!("{}", language.reference()),
    }
    FINE
}
