//! What is sent is what the vendor describes, in hundreds of combinations.

use std::sync::{Arc, OnceLock};

use trunkline::flow::{Channel, Secret};
use trunkline::vendor::{Account, Grant, Job, Slot, Unfit};

use crate::contract::{ELSEWHERE, Schema, Vendor, nothing_wrong, vendors};
use crate::document::of_request;
use crate::jobs::{Dice, Drawn, NOW};

/// Of each vendor and channel.
const JOBS: usize = 1_000;
/// So many of them, at least, must come to a request.
const SENT_MIN: usize = JOBS / 3;
/// Credentials that a vendor needs only to send by a name, which no definition can say.
const NEEDED_BY_NAMES: [(&str, &str); 1] = [("telnyx", "messaging_profile")];

/// The jobs that every vendor is asked for.
pub(crate) fn jobs() -> &'static [Drawn] {
    static DRAWN: OnceLock<Vec<Drawn>> = OnceLock::new();
    DRAWN.get_or_init(|| {
        let mut dice = Dice::seeded(20_261_125);
        (0..JOBS).map(|_| Drawn::by(&mut dice)).collect()
    })
}

/// What is wrong with one vendor's requests on one channel.
pub(crate) fn wrongs(vendor: &Vendor, channel: Channel, jobs: &[Drawn]) -> Vec<String> {
    let schema = vendor
        .schema(channel, "request")
        .expect("what requests look like");
    let mut dice = Dice::seeded(26);
    let (mut wrongs, mut sent) = (Vec::new(), 0);
    for drawn in jobs {
        let job = drawn.job();
        let own = sender(vendor, channel, &mut dice);
        let job = Job {
            from: own.as_deref().or(job.from),
            ..job
        };
        let account = account(vendor, job.from, &mut dice);
        match wrong(vendor, &account, channel, &job, &schema) {
            Ok(was_sent) => sent += usize::from(was_sent),
            Err(wrong) => wrongs.push(format!("{} {channel}: {wrong}", vendor.name)),
        }
    }
    if sent < SENT_MIN {
        wrongs.push(format!("{} {channel}: only {sent} requests", vendor.name));
    }
    wrongs
}

/// Whether a request came of a job; what is wrong with it, or with there being none.
fn wrong(
    vendor: &Vendor,
    account: &Account,
    channel: Channel,
    job: &Job<'_>,
    schema: &Schema,
) -> Result<bool, String> {
    match account.request(channel, job, NOW) {
        Ok(request) => match schema.wrongs(&of_request(&request)) {
            Some(wrongs) => Err(wrongs),
            None => says(vendor, account, channel, job).map(|()| true),
        },
        Err(Unfit::Lacks(Slot::From))
            if job.from.is_none() && account.needs_sender().contains(&channel) =>
        {
            Ok(false)
        }
        Err(Unfit::Lacks(Slot::Credential(_)) | Unfit::Credential | Unfit::NoAddress)
            if !account.channels().contains(&channel) =>
        {
            Ok(false)
        }
        Err(unfit) => Err(format!("{unfit:?} of {job:?}")),
    }
}

/// A call says what the vendor can read.
fn says(vendor: &Vendor, account: &Account, channel: Channel, job: &Job<'_>) -> Result<(), String> {
    let described = vendor.script(channel);
    if described.is_some() != account.fetches_script(channel) {
        return Err("one of contract and definition has a script".to_owned());
    }
    let Some((content_type, pattern)) = described else {
        return Ok(());
    };
    let spoken = account
        .spoken(channel, job, NOW)
        .map_err(|unfit| format!("{unfit:?}"))?;
    let script = spoken.body.expose();
    if spoken.content_type != content_type || !pattern.is_match(script) {
        return Err(format!("the script is {:?}: {script}", spoken.content_type));
    }
    Ok(())
}

/// An account in any region, or in none, with any of the optional credentials.
fn account(vendor: &Vendor, from: Option<&str>, dice: &mut Dice) -> Account {
    let definition = &vendor.definition;
    let credentials = definition.credentials.iter();
    let is_name = from.is_some_and(|from| from.starts_with(|c: char| c.is_ascii_alphabetic()));
    let needed = |name: &str| is_name && NEEDED_BY_NAMES.contains(&(&*vendor.name, name));
    let given = credentials.filter(|c| !c.optional || needed(&c.name) || dice.roll(3) > 0);
    let credentials: Vec<_> = given
        .map(|c| (c.name.clone(), Secret::new(&*c.example)))
        .collect();
    let regions = definition.regions();
    let region = match dice.roll(regions.len() + 1) {
        0 => None,
        n => Some(regions[n - 1].into()),
    };
    let with = |base_url| {
        let grant = Grant {
            name: "a-vendor".into(),
            base_url,
            region: region.clone(),
            credentials: credentials.clone(),
            from: None,
        };
        Account::new(Arc::clone(definition), grant)
    };
    let account = with(None);
    match account.origins().is_empty() {
        true => with(Some(ELSEWHERE.to_owned())),
        false => account,
    }
}

/// Now and then, one that the definition's own examples have: some vendors know senders of other kinds.
fn sender(vendor: &Vendor, channel: Channel, dice: &mut Dice) -> Option<String> {
    let example = dice.pick(vendor.written.get("example")?.as_array()?);
    let of = example.get("channel").map_or(Some("sms"), |c| c.as_str());
    let from = example
        .get("from")?
        .as_str()
        .filter(|_| of == Some(channel.as_str()))?;
    (dice.roll(3) == 0 && !from.is_empty()).then(|| from.to_owned())
}

#[test]
fn requests_are_as_vendors_describe_them() {
    let vendors = vendors();
    let asked = vendors
        .iter()
        .flat_map(|vendor| vendor.channels().into_iter().map(move |c| (vendor, c)));
    nothing_wrong(
        asked
            .flat_map(|(vendor, channel)| wrongs(vendor, channel, jobs()))
            .collect(),
    );
}
