//! What `vendors try` is to ask of which vendor, and why that cannot be.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Roster;
use crate::cli::vendors::{Mistake, TryArgs};
use crate::cli::{CONFIG, USAGE};
use crate::dispatch::attempt_name;
use crate::flow::{Channel, DeliveryId, Secret, Wording};
use crate::number::{NumberProblem, PhoneNumber};
use crate::problem::did_you_mean;
use crate::text::{Encoding, Given, SHOWN_CODE, SHOWN_TEXT, language, measure, render};
use crate::vendor::{Account, Job, Slot, Unfit};

/// What is left of the passcode's life: the five minutes that Okta gives it.
const LEFT_MS: i64 = 300_000;

/// One message for one vendor, with a sample in the place of the passcode.
pub(super) struct Errand {
    pub(super) account: Arc<Account>,
    pub(super) channel: Channel,
    pub(super) to: PhoneNumber,
    pub(super) from: Option<Arc<str>>,
    pub(super) text: Secret,
    /// Our open name for it, as vendors echo it.
    pub(super) name: String,
    code: Secret,
    language: String,
    parameters: BTreeMap<Arc<str>, Arc<str>>,
}

impl Errand {
    /// What the command line asks for.
    pub(super) fn new(args: &TryArgs, roster: &Roster) -> Result<Errand, Mistake> {
        let account = account(&args.vendor, roster)?;
        let to = PhoneNumber::parse(&args.number, None).map_err(|problem| {
            let why = match problem {
                NumberProblem::NotANumber => "it has other things than digits",
                NumberProblem::ImpossibleLength => "no plan has numbers of that length",
                NumberProblem::NoCountry => "no country has that calling code",
                NumberProblem::NoDefaultCountry => "it must begin with `+`",
            };
            let message = format!("this is no number that could be reached: {why}");
            Mistake::new(USAGE, message, "with its country, such as `+6591234567`")
        })?;
        let channel = Channel::from(args.channel);
        let from = args.from.as_deref().map(Arc::from);
        let wording = Wording {
            text: args.text.as_deref().map(Arc::from),
            language: args.language.as_deref().map(Arc::from),
            ..Wording::default()
        };
        let (code, own) = (Secret::new(SHOWN_CODE), Secret::new(SHOWN_TEXT));
        let given = Given {
            channel: Channel::Sms,
            code: Some(&code),
            // In another language than Okta's own text it is the router's.
            text: args.language.is_none().then_some(&own),
        };
        Ok(Errand {
            channel,
            to,
            from: from.or_else(|| account.from().cloned()),
            text: render(Some(&wording), channel, &given),
            name: attempt_name(DeliveryId::mint(), 0),
            language: language(Some(&wording)).into_owned(),
            parameters: BTreeMap::new(),
            account,
            code,
        })
    }

    /// The same as vendors are asked; `callback` is where the vendor reports, `script` where it fetches what the call
    /// is to say.
    pub(super) fn job<'a>(&'a self, callback: Option<&'a str>, script: Option<&'a str>) -> Job<'a> {
        Job {
            to: &self.to,
            from: self.from.as_deref(),
            text: &self.text,
            code: Some(&self.code),
            reference: &self.name,
            callback,
            script,
            left_ms: LEFT_MS,
            ucs2: measure(self.text.expose()).encoding == Encoding::Ucs2,
            language: &self.language,
            parameters: &self.parameters,
        }
    }

    /// Why its vendor cannot be asked.
    pub(super) fn unfit(&self, unfit: &Unfit) -> Mistake {
        let (name, channel) = (self.account.name(), self.channel);
        match unfit {
            Unfit::NoChannel => {
                let operations = self.account.definition().operations.iter();
                let known: Vec<_> = operations.map(|(c, _)| format!("`{c}`")).collect();
                let message = format!("`{name}` has no channel `{channel}`");
                Mistake::new(USAGE, message, format!("it has {}", known.join(", ")))
            }
            Unfit::NoAddress => Mistake::new(
                CONFIG,
                format!("`{name}` has no `base_url`"),
                "this vendor gives every account an address of its own",
            ),
            Unfit::Lacks(Slot::From) => Mistake::new(
                USAGE,
                format!("`{name}` must be told who the message comes from"),
                format!(
                    "`--from SENDER`, or `from` in `[vendors.{name}]`; the rules are not asked for senders"
                ),
            ),
            Unfit::Lacks(Slot::Credential(credential)) => Mistake::new(
                CONFIG,
                format!("`{name}` has no credential `{credential}`, which {channel} needs"),
                format!("`credentials = {{ {credential} = \"env:NAME\" }}` in `[vendors.{name}]`"),
            ),
            Unfit::NoScriptAddress => Mistake::new(
                CONFIG,
                format!("`{name}` fetches what a call is to say, and knows no address for it"),
                "set `public_url` in `[hook]`; `--wait 0` leaves that address out",
            ),
            Unfit::Lacks(Slot::Callback) => Mistake::new(
                CONFIG,
                format!("`{name}` must be told where it reports"),
                "set `public_url` in `[hook]`; `--wait 0` leaves that address out",
            ),
            Unfit::Lacks(slot) => Mistake {
                exit: USAGE,
                message: format!("`{name}` needs what is not given here: {slot:?}"),
                hint: None,
            },
            Unfit::Credential => Mistake::new(
                CONFIG,
                format!("a credential of `{name}` cannot be used as it is"),
                "a key that is none, or a line break in what goes into a header",
            ),
        }
    }
}

/// The account that a name means.
fn account(name: &str, roster: &Roster) -> Result<Arc<Account>, Mistake> {
    if let Some(account) = roster.account(name) {
        return Ok(Arc::clone(account));
    }
    let definitions = roster.definitions.iter().map(|d| d.name.as_str());
    if definitions.clone().any(|known| known == name) {
        return Err(Mistake::new(
            CONFIG,
            format!("no account for `{name}` is configured"),
            format!("add `[vendors.{name}]` to trunkline.toml, or say `--sandbox`"),
        ));
    }
    let accounts = roster.accounts().map(|account| &**account.name());
    let hint = did_you_mean(name, accounts.chain(definitions));
    Err(Mistake::new(
        USAGE,
        format!("there is no vendor `{name}`"),
        hint.unwrap_or_else(|| "`trunkline vendors list` shows them".to_owned()),
    ))
}
