//! What each country's networks ask of senders and texts, read from `countries.csv`.

use std::sync::LazyLock;

use crate::number::Country;
use crate::time::Moment;

/// One row for each country, sorted by country; its columns are those of `Regime` and some for people.
const TABLE: &str = include_str!("../countries.csv");
const COLUMNS: usize = 15;

static REGIMES: LazyLock<Vec<Regime>> = LazyLock::new(|| {
    let mut regimes: Vec<Regime> = TABLE.lines().skip(1).filter_map(Regime::read).collect();
    regimes.sort_by_key(|regime| regime.country);
    regimes
});

/// Planning data, not law: what is known of a country's networks.
#[derive(Debug, PartialEq)]
pub(in crate::rules) struct Regime {
    pub(in crate::rules) country: Country,
    pub(in crate::rules) names: Names,
    /// Where names are registered; empty where nobody knows.
    pub(in crate::rules) register: &'static str,
    /// The day from which unregistered names are blocked.
    pub(in crate::rules) blocks_from: Option<&'static str>,
    /// Whether a telephone number is shown as the sender.
    pub(in crate::rules) long_code: Support,
    pub(in crate::rules) unicode: Support,
    /// Whether long texts come as one message.
    pub(in crate::rules) concat: Support,
    /// The most parts that get through.
    pub(in crate::rules) parts_max: Option<usize>,
    /// What one part holds where that is less than 160 GSM characters.
    pub(in crate::rules) part_units: Option<usize>,
    /// Texts are registered with an entity and a template id.
    pub(in crate::rules) dlt: bool,
    pub(in crate::rules) receipts: Receipts,
    pub(in crate::rules) text: Vec<TextRule>,
    /// For people, in a few words.
    pub(in crate::rules) note: &'static str,
}

/// Whether a name can be the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Names {
    Yes,
    /// Operators refuse it.
    No,
    /// It arrives, and comes from a number.
    Overwritten,
    /// Some networks show it.
    Limited,
    /// It must be registered first.
    Registered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Support {
    Yes,
    No,
    /// On some networks, or for some uses.
    Limited,
    Registered,
    /// It arrives, and something else is shown.
    Overwritten,
    Unknown,
}

/// What a receipt proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Receipts {
    Handset,
    /// That the operator's centre has the message.
    Carrier,
    None,
    Unknown,
}

/// What a text must or must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum TextRule {
    /// The brand's name stands in it.
    Brand,
    /// It carries a registered 【signature】.
    Signature,
    /// It is registered before use.
    Template,
    NoUrls,
    /// Links are registered before use.
    ListedUrls,
    NoNumbers,
}

/// Which row is which country's; asked for every message.
static ROWS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut rows = vec![u8::MAX; LETTERS * LETTERS];
    for (row, regime) in REGIMES.iter().enumerate() {
        if let (Some(place), Ok(row)) = (place(regime.country), u8::try_from(row)) {
            rows[place] = row;
        }
    }
    rows
});
const LETTERS: usize = 26;

/// What is known of a country.
pub(in crate::rules) fn regime(country: Country) -> Option<&'static Regime> {
    let row = ROWS.get(place(country)?)?;
    REGIMES.get(usize::from(*row))
}

/// Two letters as a number below `LETTERS` squared.
fn place(country: Country) -> Option<usize> {
    let letters = country.as_str().bytes();
    let mut places = letters.map(|letter| usize::from(letter.wrapping_sub(b'A')));
    let (first, second) = (places.next()?, places.next()?);
    (first < LETTERS && second < LETTERS).then_some(first * LETTERS + second)
}

impl Regime {
    fn read(line: &'static str) -> Option<Regime> {
        let columns: [&str; COLUMNS] = line.split(',').collect::<Vec<_>>().try_into().ok()?;
        let [country, names, register, blocks_from, ..] = columns;
        let [.., parts_max, part_units, dlt, receipts, text, note, _] = columns;
        Some(Regime {
            country: Country::parse(country)?,
            names: Names::read(names)?,
            register,
            blocks_from: Some(blocks_from).filter(|date| !date.is_empty()),
            long_code: Support::read(columns[4])?,
            unicode: Support::read(columns[6])?,
            concat: Support::read(columns[7])?,
            parts_max: count(parts_max)?,
            part_units: count(part_units)?,
            dlt: match dlt {
                "yes" => true,
                "no" => false,
                _ => return None,
            },
            receipts: Receipts::read(receipts)?,
            text: text
                .split_whitespace()
                .map(TextRule::read)
                .collect::<Option<_>>()?,
            note,
        })
    }

    /// Whether unregistered names are blocked by now; `None` where no day is known.
    pub(in crate::rules) fn blocks(&self, now: Moment) -> Option<bool> {
        let from = Moment::from_rfc3339(&format!("{}T00:00:00Z", self.blocks_from?))?;
        Some(from <= now)
    }

    pub(in crate::rules) fn asks(&self, rule: TextRule) -> bool {
        self.text.contains(&rule)
    }
}

impl Names {
    fn read(word: &str) -> Option<Names> {
        Some(match word {
            "yes" => Names::Yes,
            "no" => Names::No,
            "overwritten" => Names::Overwritten,
            "limited" => Names::Limited,
            "registered" => Names::Registered,
            _ => return None,
        })
    }
}

impl Support {
    fn read(word: &str) -> Option<Support> {
        Some(match word {
            "yes" => Support::Yes,
            "no" => Support::No,
            "limited" => Support::Limited,
            "registered" => Support::Registered,
            "overwritten" => Support::Overwritten,
            "" => Support::Unknown,
            _ => return None,
        })
    }
}

impl Receipts {
    fn read(word: &str) -> Option<Receipts> {
        Some(match word {
            "handset" => Receipts::Handset,
            "carrier" => Receipts::Carrier,
            "none" => Receipts::None,
            "" => Receipts::Unknown,
            _ => return None,
        })
    }
}

impl TextRule {
    fn read(word: &str) -> Option<TextRule> {
        Some(match word {
            "brand" => TextRule::Brand,
            "signature" => TextRule::Signature,
            "template" => TextRule::Template,
            "no_urls" => TextRule::NoUrls,
            "listed_urls" => TextRule::ListedUrls,
            "no_numbers" => TextRule::NoNumbers,
            _ => return None,
        })
    }
}

/// A count, where there is one; `None` for what is neither.
fn count(text: &str) -> Option<Option<usize>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::is_known_country;

    fn of(code: &str) -> &'static Regime {
        regime(Country::parse(code).unwrap()).unwrap()
    }

    fn which(wanted: impl Fn(&Regime) -> bool) -> String {
        let all = REGIMES.iter().filter(|regime| wanted(regime));
        let codes: Vec<&str> = all.map(|regime| regime.country.as_str()).collect();
        codes.join(" ")
    }

    #[test]
    fn every_row_can_be_read_and_names_a_country_once_with_its_sources() {
        let rows: Vec<&str> = TABLE.lines().skip(1).collect();
        assert!(rows.len() > 200);
        for row in &rows {
            let regime = Regime::read(row).unwrap_or_else(|| panic!("{row}"));
            assert!(is_known_country(regime.country), "{row}");
            assert!(!row.ends_with(','), "{row}: no source");
            if let Some(date) = regime.blocks_from {
                assert!(regime.blocks(Moment(0)) == Some(false), "{row}: {date}");
                assert_eq!(regime.names, Names::Registered, "{row}");
            }
            let register_is_known = !regime.register.is_empty();
            assert!(
                register_is_known || regime.names != Names::Registered,
                "{row}"
            );
        }
        assert_eq!(rows.len(), REGIMES.len());
        assert!(
            REGIMES
                .windows(2)
                .all(|two| two[0].country < two[1].country)
        );
        assert!(rows.is_sorted(), "rows are in the order of their countries");
        assert_eq!(TABLE.lines().next().unwrap().split(',').count(), COLUMNS);
    }

    #[test]
    fn known_facts_hold() {
        assert_eq!(which(|r| r.names == Names::No), "CA PR US");
        assert_eq!(of("SG").names, Names::Registered);
        assert_eq!(of("SG").blocks_from, Some("2023-01-31"));
        assert_eq!(of("ES").blocks_from, Some("2026-09-15"));
        assert_eq!(which(|r| r.dlt), "IN");
        assert_eq!(which(|r| r.concat == Support::No), "KR");
        assert_eq!(
            (of("KR").parts_max, of("KR").part_units),
            (Some(1), Some(140))
        );
        assert_eq!(which(|r| r.asks(TextRule::Brand)), "ID IN VN");
        assert_eq!(which(|r| r.asks(TextRule::Signature)), "CN");
        assert_eq!(which(|r| r.asks(TextRule::Template)), "CN IN VN");
        assert_eq!(which(|r| r.asks(TextRule::NoUrls)), "CN MY PH VN");
        assert_eq!(which(|r| r.asks(TextRule::NoNumbers)), "MY PH VN");
        assert_eq!(of("PH").parts_max, Some(3));
        assert_eq!(of("CN").parts_max, Some(8));
        assert_eq!(of("GR").unicode, Support::No);
    }

    #[test]
    fn receipts_prove_nothing_where_only_the_operator_gives_them() {
        let proves_little = |r: &Regime| matches!(r.receipts, Receipts::Carrier | Receipts::None);
        let expected = "AR AS BB BR BS CA CL CN CO DO KI MD MX NU TK TW US VN WF ZW";
        assert_eq!(which(proves_little), expected);
    }
}
