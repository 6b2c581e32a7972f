//! Finds numbers that stand for all others: one for each country, kind and prefix that rules tell apart.

use std::collections::{BTreeSet, HashSet};

use crate::number::{Country, NumberType, PhoneNumber, calling_code, example};
use crate::rules::Rules;
use crate::rules::condition::Condition;

/// `+` and a number behind a prefix has so many digits at most (ITU-T E.164).
const DIGITS_MAX: usize = 15;
/// Digits that follow a prefix when a number is made up.
const TAIL: &str = "123456789012345";
/// Prefixes behind which every kind of number is looked for, at most: it takes a thousand tries each.
const SWEPT_MAX: usize = 40;

/// A number, and what is special about it; nothing, where it is what people usually have.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) number: PhoneNumber,
    pub(super) what: String,
}

/// What rules ask of numbers.
#[derive(Default)]
pub(super) struct Told {
    prefixes: BTreeSet<String>,
    types: BTreeSet<NumberType>,
}

impl Told {
    pub(super) fn of(sides: &[&Rules]) -> Told {
        let mut told = Told::default();
        let rules = sides.iter().flat_map(|side| &side.rules);
        for condition in rules.flat_map(|rule| &rule.conditions) {
            match condition {
                Condition::Prefix(list) => told.prefixes.extend(list.iter().cloned()),
                Condition::NumberType(list) => told.types.extend(list),
                _ => {}
            }
        }
        told
    }

    /// The countries that have numbers behind any of the prefixes.
    pub(super) fn countries(&self, all: &[Country]) -> BTreeSet<Country> {
        let numbers = self.prefixes.iter().filter_map(|prefix| beyond(prefix));
        let mut countries: BTreeSet<Country> = numbers.map(|number| number.country()).collect();
        for country in all {
            let code = calling_code(*country).map(|code| format!("+{code}"));
            if code.is_some_and(|code| self.prefixes.iter().any(|p| code.starts_with(&**p))) {
                countries.insert(*country);
            }
        }
        countries
    }

    /// The longest of the prefixes that a number has.
    fn prefix_of(&self, number: &PhoneNumber) -> Option<&str> {
        let digits = number.e164();
        let heads = (2..=digits.len()).rev().map(|end| &digits[..end]);
        let mut known = heads.filter_map(|head| self.prefixes.get(head));
        known.next().map(String::as_str)
    }
}

/// The numbers of each country, the usual one first, and whether every kind of number was found.
pub(super) fn numbers(countries: &[Country], told: &Told) -> (Vec<Vec<Number>>, bool) {
    let mut finder = Finder {
        told,
        countries,
        seen: HashSet::new(),
        found: vec![Vec::new(); countries.len()],
    };
    for country in countries {
        finder.add_usual(*country);
    }
    let mut is_complete = true;
    let sweeps = !told.types.is_empty();
    for (index, prefix) in told.prefixes.iter().enumerate() {
        let is_swept = sweeps && index < SWEPT_MAX;
        is_complete &= finder.add_beyond(prefix, is_swept) && (is_swept || !sweeps);
    }
    let words = finder
        .found
        .into_iter()
        .map(|found| finder.told.in_words(found));
    (words.collect(), is_complete)
}

struct Finder<'a> {
    told: &'a Told,
    countries: &'a [Country],
    /// By country, the longest prefix, and the type where that is asked for.
    seen: HashSet<(Country, Option<&'a str>, Option<NumberType>)>,
    found: Vec<Vec<PhoneNumber>>,
}

impl<'a> Finder<'a> {
    /// Keeps it where rules tell it from all others that were found.
    fn add(&mut self, number: PhoneNumber) {
        let told = self.told;
        let kind = told.types.get(&number.number_type()).copied();
        let key = (number.country(), told.prefix_of(&number), kind);
        if let Ok(index) = self.countries.binary_search(&key.0)
            && self.seen.insert(key)
        {
            self.found[index].push(number);
        }
    }

    fn add_usual(&mut self, country: Country) {
        let code = calling_code(country).map(|code| format!("+{code}"));
        let is_split = code.as_ref().is_some_and(|code| {
            let mut prefixes = self.told.prefixes.iter();
            prefixes.any(|p| p.len() > code.len() && p.starts_with(&**code))
        });
        let usual = usual_number(country);
        let usual_type = usual.as_ref().map(PhoneNumber::number_type);
        let mut all: Vec<PhoneNumber> = usual.into_iter().collect();
        if is_split || !self.told.types.is_empty() {
            all.extend(
                NumberType::ALL
                    .into_iter()
                    .filter_map(|t| example(country, t)),
            );
        }
        let depth = |number: &PhoneNumber| {
            let prefix = self.told.prefix_of(number).map(str::len);
            prefix.filter(|len| code.as_ref().is_none_or(|code| *len > code.len()))
        };
        let is_usual = |n: &PhoneNumber| depth(n).is_none() && Some(n.number_type()) == usual_type;
        if is_split && !all.iter().any(is_usual) {
            let code = code.as_deref().unwrap_or_default();
            let numbers = tails().filter_map(|tail| beyond(&format!("{code}{tail}")));
            all.extend(numbers.filter(|number| number.country() == country));
        }
        // What most have first: behind no prefix of its own, and of the usual kind.
        all.sort_by_key(|number| (depth(number), Some(number.number_type()) != usual_type));
        all.into_iter().for_each(|number| self.add(number));
    }

    /// Numbers that begin so; whether there is one that no longer prefix takes.
    fn add_beyond(&mut self, prefix: &str, sweeps: bool) -> bool {
        let own = |number: &PhoneNumber, told: &Told| told.prefix_of(number) == Some(prefix);
        let first = beyond(prefix);
        let mut is_found = first.as_ref().is_some_and(|number| own(number, self.told));
        first.into_iter().for_each(|number| self.add(number));
        if sweeps || !is_found {
            for tail in tails() {
                let longer = format!("{prefix}{tail}");
                let numbers = match sweeps {
                    true => all_beyond(&longer).collect(),
                    false => Vec::from_iter(beyond(&longer)),
                };
                for number in numbers {
                    is_found |= own(&number, self.told);
                    self.add(number);
                }
                if is_found && !sweeps {
                    break;
                }
            }
        }
        is_found
    }
}

impl Told {
    /// Says what is special about each.
    fn in_words(&self, found: Vec<PhoneNumber>) -> Vec<Number> {
        let Some(usual) = found.first() else {
            return Vec::new();
        };
        let class = |number: &PhoneNumber| self.types.get(&number.number_type()).copied();
        let (usual_class, usual_prefix) = (class(usual), self.prefix_of(usual));
        let code = calling_code(usual.country()).unwrap_or_default().len() + 1;
        let words = |number: &PhoneNumber| {
            let prefix = self
                .prefix_of(number)
                .filter(|p| p.len() > code || Some(*p) != usual_prefix);
            let prefix = prefix.map(|prefix| format!("prefix {prefix}"));
            let kind = (class(number) != usual_class)
                .then(|| format!("number_type {}", number.number_type().as_str()));
            let all: Vec<String> = prefix.into_iter().chain(kind).collect();
            all.join(", ")
        };
        let whats: Vec<String> = found.iter().map(words).collect();
        let pairs = found.into_iter().zip(whats);
        pairs
            .map(|(number, what)| Number { number, what })
            .collect()
    }
}

/// The kind of number that most people of a country give.
fn usual_number(country: Country) -> Option<PhoneNumber> {
    let usual = [NumberType::Mobile, NumberType::FixedLineOrMobile];
    let mut all = usual.into_iter().chain(NumberType::ALL);
    all.find_map(|number_type| example(country, number_type))
}

/// One and two digits.
fn tails() -> impl Iterator<Item = String> {
    let one = (0..10).map(|digit| digit.to_string());
    one.chain((0..100).map(|digits| format!("{digits:02}")))
}

/// A number that begins so, of a known kind where there is one.
fn beyond(prefix: &str) -> Option<PhoneNumber> {
    let mut last = None;
    for number in all_beyond(prefix) {
        if number.number_type() != NumberType::Unknown {
            return Some(number);
        }
        last = Some(number);
    }
    last
}

/// A number of every possible length that begins so.
fn all_beyond(prefix: &str) -> impl Iterator<Item = PhoneNumber> {
    let room = DIGITS_MAX.saturating_sub(prefix.len() - 1).min(TAIL.len());
    (0..=room).filter_map(move |more| {
        PhoneNumber::parse(&format!("{prefix}{}", &TAIL[..more]), None).ok()
    })
}
