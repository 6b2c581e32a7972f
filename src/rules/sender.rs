//! Who a message comes from: which senders fit a message, and where they must be registered.

use std::sync::Arc;

use ring::digest;

use crate::flow::{Channel, VendorName};
use crate::number::Country;
use crate::problem::Source;
use crate::rules::countries::takes_no_names;
use crate::rules::file::Validity;
use crate::rules::plan::Wanted;

/// Short codes have three to six digits, some countries' seven or eight.
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=8;
/// A number of more digits than this is no short code, where nobody says what it is.
const SHORT_CODE_DIGITS_GUESSED: usize = 6;
/// A name is as long as its field on the air: 11 characters of 7 bits (3GPP TS 23.040 9.1.2.5).
const NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=11;
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// What a sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Alpha,
    LongCode,
    ShortCode,
    TollFree,
    TenDlc,
    Pool,
}

impl Kind {
    pub(super) const ALL: [Kind; 6] = [
        Kind::Alpha,
        Kind::LongCode,
        Kind::ShortCode,
        Kind::TollFree,
        Kind::TenDlc,
        Kind::Pool,
    ];

    /// The name used in rules.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Alpha => "alpha",
            Kind::LongCode => "long_code",
            Kind::ShortCode => "short_code",
            Kind::TollFree => "toll_free",
            Kind::TenDlc => "10dlc",
            Kind::Pool => "pool",
        }
    }

    /// What a sender is, by its looks.
    pub(super) fn of(from: &str) -> Kind {
        if from.starts_with('+') {
            Kind::LongCode
        } else if from.chars().any(char::is_alphabetic) {
            Kind::Alpha
        } else if from.len() <= SHORT_CODE_DIGITS_GUESSED {
            Kind::ShortCode
        } else {
            Kind::LongCode
        }
    }

    /// What an account's sender is: one too long for a name is the vendor's own id of a pool or a service.
    pub(super) fn of_account(from: &str) -> Kind {
        match Kind::of(from) {
            Kind::Alpha if from.chars().count() > *NAME_CHARS.end() => Kind::Pool,
            kind => kind,
        }
    }

    /// Calls can come from it.
    pub(super) fn can_call(self) -> bool {
        match self {
            Kind::Alpha | Kind::ShortCode => false,
            Kind::LongCode | Kind::TollFree | Kind::TenDlc | Kind::Pool => true,
        }
    }
}

/// What is wrong with a sender of a kind, and what to do about it.
pub(super) fn mistake_in(from: &str, kind: Option<Kind>) -> Option<(String, String)> {
    let digits = from.strip_prefix('+').unwrap_or(from);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match kind.unwrap_or_else(|| Kind::of(from)) {
        Kind::Alpha => mistake_in_name(from),
        Kind::ShortCode
            if digits == from && is_number && SHORT_CODE_DIGITS.contains(&from.len()) =>
        {
            None
        }
        Kind::ShortCode => Some((
            format!("`{from}` is no short code"),
            "3 to 8 digits, without `+`".to_owned(),
        )),
        // A vendor may know a pool or a sender by an id of its own.
        Kind::Pool if !is_number => None,
        Kind::LongCode | Kind::TollFree | Kind::TenDlc | Kind::Pool
            if is_number && NUMBER_DIGITS.contains(&digits.len()) =>
        {
            None
        }
        Kind::LongCode | Kind::TollFree | Kind::TenDlc | Kind::Pool => Some((
            format!("`{from}` is no telephone number"),
            "`+` and 5 to 15 digits".to_owned(),
        )),
    }
}

fn mistake_in_name(name: &str) -> Option<(String, String)> {
    let count = name.chars().count();
    if !NAME_CHARS.contains(&count) {
        let (least, most) = (NAME_CHARS.start(), NAME_CHARS.end());
        return Some((
            format!("`{name}` has {count} characters"),
            format!("a name has {least} to {most}"),
        ));
    }
    let stranger = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !" &-_.+".contains(*c));
    if let Some(stranger) = stranger {
        return Some((
            format!("a name cannot have `{stranger}`"),
            "letters, digits, space and `& - _ . +` without accents".to_owned(),
        ));
    }
    if !name.chars().any(|c| c.is_ascii_alphabetic()) {
        return Some((
            format!("`{name}` has no letter"),
            "a name has one; a number is a `long_code` or a `short_code`".to_owned(),
        ));
    }
    (name.trim() != name).then(|| {
        (
            "a name does not begin or end with a space".to_owned(),
            format!("`{}`", name.trim()),
        )
    })
}

/// A sender as meant; absent conditions always hold.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) vendor: Option<VendorName>,
    /// Sorted.
    pub(super) countries: Option<Vec<Country>>,
    pub(super) channel: Option<Channel>,
    pub(super) orgs: Option<Vec<String>>,
    /// One, or the members of a pool.
    pub(super) from: Vec<Arc<str>>,
    pub(super) kind: Kind,
    pub(super) registered: bool,
    pub(super) validity: Validity,
    pub(super) quota: Option<Arc<str>>,
    /// Where it is written; absent for an account's own.
    pub(super) place: Option<(Source, usize)>,
}

/// Why a sender is not used for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is for something else.
    Other,
    /// It is a name, and the country takes numbers only.
    Name,
    /// The country has a register, and the sender is not in it.
    Unregistered,
    /// It is not valid yet, or not any more.
    Date,
}

impl Sender {
    /// Why it is not used; `None` where it can be. One that the chain names itself is used for other countries
    /// and orgs than its own too, but it is registered only in its own.
    pub(super) fn misfit(
        &self,
        is_named: bool,
        wanted: &Wanted<'_>,
        registers: &[Register],
    ) -> Option<Misfit> {
        let countries = self.countries.as_ref();
        let is_here = countries.is_none_or(|c| c.binary_search(&wanted.country).is_ok());
        let is_own = is_named || (is_here && self.is_of_org(wanted.org));
        let is_own = is_own && self.channel.is_none_or(|c| c == wanted.channel);
        if !is_own || (wanted.channel == Channel::Voice && !self.kind.can_call()) {
            return Some(Misfit::Other);
        }
        if wanted.channel == Channel::Sms {
            if self.kind == Kind::Alpha && takes_no_names(wanted.country) {
                return Some(Misfit::Name);
            }
            let is_registered = self.registered && is_here;
            if !is_registered && must_register(registers, Some(self.kind), wanted) {
                return Some(Misfit::Unregistered);
            }
        }
        let holds = wanted.any_time || self.validity.holds(wanted.now);
        (!holds).then_some(Misfit::Date)
    }

    fn is_of_org(&self, org: &str) -> bool {
        let orgs = self.orgs.as_ref();
        orgs.is_none_or(|orgs| orgs.iter().any(|o| o == org))
    }

    /// The sender itself; of a pool the member that this recipient always gets.
    pub(super) fn from(&self, recipient: &str) -> Option<&Arc<str>> {
        match self.from.as_slice() {
            [one] => Some(one),
            pool => pool.get(draw(recipient) % pool.len().max(1)),
        }
    }

    /// Most conditions first; among equals the vendor's own.
    pub(super) fn rank(&self) -> (usize, bool) {
        let given = [
            self.vendor.is_some(),
            self.countries.is_some(),
            self.channel.is_some(),
            self.orgs.is_some(),
        ];
        let count = given.iter().filter(|given| **given).count();
        (count, self.vendor.is_some())
    }
}

/// An even draw that is the same for the same recipient everywhere and always.
fn draw(recipient: &str) -> usize {
    let hash = digest::digest(&digest::SHA256, recipient.as_bytes());
    let head = hash.as_ref().iter().take(4);
    head.fold(0, |all, &byte| (all << 8) | usize::from(byte))
}

/// Countries in which senders are registered.
#[derive(Clone, Debug)]
pub(super) struct Register {
    /// Sorted.
    pub(super) countries: Vec<Country>,
    /// The kinds that it is about; absent: all.
    pub(super) kinds: Option<Vec<Kind>>,
    pub(super) validity: Validity,
}

/// Whether a text message from this kind of sender needs one that is registered; without a kind, from whatever
/// the vendor chooses.
pub(super) fn must_register(
    registers: &[Register],
    kind: Option<Kind>,
    wanted: &Wanted<'_>,
) -> bool {
    registers.iter().any(|register| {
        let kinds = register.kinds.as_ref();
        register.countries.binary_search(&wanted.country).is_ok()
            && register.validity.holds(wanted.now)
            && kinds.is_none_or(|kinds| kind.is_some_and(|k| kinds.contains(&k)))
    })
}
