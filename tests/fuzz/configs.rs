//! `trunkline.toml`, whatever it says.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use trunkline::catalog::{Catalog, Texts};
use trunkline::config::{Surroundings, read_config};
use trunkline::problem::Source;
use trunkline::time::Moment;

use crate::chance::Chance;
use crate::rules::texts_in;
use crate::{are_shown, soup, throw};

#[test]
fn configurations_are_read_whatever_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = texts_in(&root.join("tests/golden/config"));
    let definitions = texts_in(&root.join("vendors"));
    let names = ["infobip.toml", "telnyx.toml", "twilio.toml", "vonage.toml"];
    let definitions = names.iter().zip(definitions);
    let definitions: Vec<Source> = definitions.map(|(n, t)| Source::new(*n, t)).collect();
    // The examples of definitions are what takes long, and not what is asked for.
    let definitions: Vec<Source> = definitions.iter().map(without_examples).collect();
    let make = |chance: &mut Chance| {
        let text = &seeds[chance.below(seeds.len())];
        let other = &seeds[chance.below(seeds.len())];
        soup::any(chance, text, other)
    };
    throw("configurations", 500, make, |text| {
        for sandbox in [false, true] {
            check(text, sandbox, &definitions);
        }
    });
}

fn without_examples(source: &Source) -> Source {
    let end = source.text.find("[[example]]").unwrap_or(source.text.len());
    Source::new(source.name.to_string(), &source.text[..end])
}

fn check(text: &str, sandbox: bool, definitions: &[Source]) {
    let problems = RefCell::default();
    let around = Surroundings {
        dir: Path::new("."),
        sandbox,
        stand_ins: false,
        env: &|name| (name.len() % 5 != 0).then(|| "secret".to_owned()),
        file: &|path| match path.as_os_str().len() % 3 {
            0 => Err(io::ErrorKind::NotFound.into()),
            _ => Ok("from-file\n".to_owned()),
        },
    };
    let config = read_config(&Source::new("trunkline.toml", text), &around, &problems);
    assert!(!format!("{config:?}").contains("from-file"));
    let texts = Texts {
        rules: vec![Source::new(
            "r.toml",
            "[[rule]]\nname = \"no\"\ndeny = \"no\"\n",
        )],
        definitions: definitions.to_vec(),
    };
    Catalog::compile(config, &texts, None, Moment(1_781_524_800_000), &problems);
    are_shown(&problems.into_inner());
}
