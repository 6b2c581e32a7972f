//! Combines what rules, templates, senders and registers ask for, so that no two of them meet unseen.

use std::collections::{HashMap, HashSet};

use crate::number::Country;
use crate::rules::Rules;
use crate::rules::condition::{Condition, Login, is_within};
use crate::rules::probe::Scope;
use crate::rules::probe::places::Places;

/// Combinations of values, at most.
const SHAPES_MAX: usize = 4_096;
/// Pairs of combinations that are held against each other, at most.
const PAIRS_MAX: usize = 20_000_000;
/// So many values are named where all are treated alike.
const ALIKE_SHOWN_MAX: usize = 3;
/// What asks for this asks for the end of a login.
const ANYBODY: &str = "somebody";

/// What conditions ask for, beyond number and channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Axis {
    Org,
    RequestType,
    Locale,
    Region,
    User,
    Login,
    Preview,
}

impl Axis {
    pub(super) const ALL: [Axis; 7] = [
        Axis::Org,
        Axis::RequestType,
        Axis::Locale,
        Axis::Region,
        Axis::User,
        Axis::Login,
        Axis::Preview,
    ];

    fn key(self) -> &'static str {
        match self {
            Axis::Org => "org",
            Axis::RequestType => "request_type",
            Axis::Locale => "locale",
            Axis::Region => "region",
            Axis::User => "user",
            Axis::Login => "login",
            Axis::Preview => "preview",
        }
    }

    /// Values that stand in the same lists are treated alike: none is within another.
    fn is_exact(self) -> bool {
        match self {
            Axis::Org | Axis::RequestType | Axis::Region | Axis::User => true,
            Axis::Locale | Axis::Login | Axis::Preview => false,
        }
    }
}

/// A value for each axis, by its number; 0 where nothing is special.
pub(in crate::rules) type Traits = [u32; Axis::ALL.len()];

/// What is special about nothing.
pub(in crate::rules) const NOTHING: Traits = [0; Axis::ALL.len()];

/// Values of all axes, by number.
#[derive(Default)]
pub(super) struct Values {
    /// Each with how many others are treated alike; number 1 is the first.
    known: Vec<(Axis, String, Vec<String>)>,
    numbers: HashMap<(Axis, String), u32>,
}

/// The messages that meet some conditions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) traits: Traits,
    /// Where each of them must be looked at.
    pub(super) must: Places,
    /// Where they may be looked at too.
    pub(super) may: Places,
}

/// All shapes, those with the fewest special values first.
pub(super) struct Shapes {
    pub(super) all: Vec<Shape>,
    pub(super) values: Values,
    /// Nothing was cut.
    pub(super) is_complete: bool,
}

impl Shape {
    pub(super) fn has(&self, axis: Axis) -> bool {
        self.traits[axis as usize] != 0
    }
}

/// What one declaration asks for.
struct Asked {
    places: Places,
    /// The values of one axis each.
    lists: Vec<(Axis, Vec<String>)>,
    is_changed: bool,
}

impl Shapes {
    /// Everything that is asked for, and every combination of what may be asked for at once.
    pub(super) fn of(scope: &Scope<'_>) -> Shapes {
        let asked = asked(scope);
        let values = Values::of(&asked);
        let mut maker = Maker {
            values: &values,
            shapes: Vec::new(),
            numbers: HashMap::new(),
            pairs: 0,
            is_complete: true,
        };
        let everywhere = Places::all(scope.countries.len());
        match scope.changed {
            Some(_) => maker.add(NOTHING, Places::default(), everywhere),
            None => maker.add(NOTHING, everywhere, Places::default()),
        }
        let (changed, others) = maker.atoms(&asked);
        for (traits, places) in changed {
            maker.cross(traits, places, true);
        }
        for (traits, places) in others {
            maker.cross(traits, places, false);
        }
        let is_complete = maker.is_complete;
        let mut all = maker.shapes;
        all.sort_by_key(|shape| count(&shape.traits));
        Shapes {
            all,
            values,
            is_complete,
        }
    }
}

/// How many values are special.
pub(super) fn count(traits: &Traits) -> usize {
    traits.iter().filter(|value| **value != 0).count()
}

struct Maker<'a> {
    values: &'a Values,
    shapes: Vec<Shape>,
    numbers: HashMap<Traits, usize>,
    pairs: usize,
    is_complete: bool,
}

/// The places of what is asked for alike, in order.
type Atoms = Vec<(Traits, Places)>;

impl Maker<'_> {
    fn add(&mut self, traits: Traits, must: Places, may: Places) {
        let next = self.shapes.len();
        let index = *self.numbers.entry(traits).or_insert(next);
        match self.shapes.get_mut(index) {
            Some(shape) => {
                shape.must = shape.must.or(must);
                shape.may = shape.may.or(may);
            }
            None => self.shapes.push(Shape { traits, must, may }),
        }
    }

    /// What changed declarations ask for, and what the others do.
    fn atoms(&mut self, asked: &[Asked]) -> (Atoms, Atoms) {
        let mut both = [Atoms::new(), Atoms::new()];
        let mut known: [HashMap<Traits, usize>; 2] = Default::default();
        for asked in asked {
            let side = usize::from(!asked.is_changed);
            for traits in self.spread(&asked.lists) {
                let next = both[side].len();
                match *known[side].entry(traits).or_insert(next) {
                    index if index == next => both[side].push((traits, asked.places)),
                    index => both[side][index].1 = both[side][index].1.or(asked.places),
                }
            }
        }
        let [changed, others] = both;
        (changed, others)
    }

    /// Each combination of the lists' values.
    fn spread(&mut self, lists: &[(Axis, Vec<String>)]) -> Vec<Traits> {
        let mut all = vec![NOTHING];
        for (axis, list) in lists {
            let mut numbers: Vec<u32> = list.iter().map(|v| self.values.number(*axis, v)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let wider = all.iter().flat_map(|traits| {
                numbers.iter().map(|number| {
                    let mut traits = *traits;
                    traits[*axis as usize] = *number;
                    traits
                })
            });
            let mut wider: Vec<Traits> = wider.take(SHAPES_MAX + 1).collect();
            if wider.len() > SHAPES_MAX {
                wider.truncate(SHAPES_MAX);
                self.is_complete = false;
            }
            all = wider;
        }
        all
    }

    /// Adds what is asked for, alone and with all that it meets. What did not change need not be looked at
    /// but where it meets what did.
    fn cross(&mut self, traits: Traits, places: Places, is_changed: bool) {
        let before = self.shapes.len();
        for index in 0..before {
            if self.pairs >= PAIRS_MAX || self.shapes.len() >= SHAPES_MAX {
                self.is_complete = false;
                break;
            }
            self.pairs += 1;
            let shape = self.shapes[index];
            let must = match is_changed {
                true => shape.must.or(shape.may).and(places),
                false => shape.must.and(places),
            };
            if must.is_none() {
                continue;
            }
            if let Some(both) = self.values.both(&shape.traits, &traits) {
                self.add(both, must, Places::default());
            }
        }
        match is_changed {
            true => self.add(traits, places, Places::default()),
            false => self.add(traits, Places::default(), places),
        }
    }
}

impl Values {
    fn of(asked: &[Asked]) -> Values {
        // Which declarations name a value: those that are named by the same are treated alike.
        let mut named_by: HashMap<(Axis, &str), Vec<usize>> = HashMap::new();
        let mut order: Vec<(Axis, &str)> = Vec::new();
        for (index, asked) in asked.iter().enumerate() {
            for (axis, value) in asked
                .lists
                .iter()
                .flat_map(|(a, l)| l.iter().map(|v| (*a, v)))
            {
                let all = named_by.entry((axis, value)).or_insert_with(|| {
                    order.push((axis, value));
                    Vec::new()
                });
                if all.last() != Some(&index) {
                    all.push(index);
                }
            }
        }
        let mut values = Values::default();
        let mut alike: HashMap<(Axis, &[usize]), u32> = HashMap::new();
        for (axis, value) in order {
            let key = (
                axis,
                named_by.get(&(axis, value)).map_or(&[][..], |all| all),
            );
            let known = alike.get(&key).copied().filter(|_| axis.is_exact());
            let number = match known {
                Some(number) => {
                    values.known[number as usize - 1].2.push(value.to_owned());
                    number
                }
                None => {
                    values.known.push((axis, value.to_owned(), Vec::new()));
                    u32::try_from(values.known.len()).unwrap_or(u32::MAX)
                }
            };
            alike.insert(key, number);
            values.numbers.insert((axis, value.to_owned()), number);
        }
        values
    }

    fn number(&self, axis: Axis, value: &str) -> u32 {
        let key = (axis, value.to_owned());
        self.numbers.get(&key).copied().unwrap_or(0)
    }

    /// The value of an axis; `None` where nothing is special.
    pub(super) fn value(&self, traits: &Traits, axis: Axis) -> Option<&str> {
        let number = traits[axis as usize] as usize;
        let known = self.known.get(number.checked_sub(1)?);
        known.map(|(_, value, _)| &**value)
    }

    /// The values that anything asks for.
    pub(super) fn all(&self, axis: Axis) -> impl Iterator<Item = &str> {
        let of_axis = self.known.iter().filter(move |(a, ..)| *a == axis);
        of_axis.flat_map(|(_, value, alike)| {
            let alike = alike.iter().map(String::as_str);
            std::iter::once(&**value).chain(alike)
        })
    }

    /// `org acme`, for each special value.
    pub(super) fn words(&self, traits: &Traits) -> Vec<String> {
        let special = Axis::ALL.into_iter().filter_map(|axis| {
            let number = traits[axis as usize] as usize;
            self.known.get(number.checked_sub(1)?)
        });
        special
            .map(|(axis, value, alike)| in_words(*axis, value, alike))
            .collect()
    }

    /// What meets both; `None` where nothing does.
    fn both(&self, a: &Traits, b: &Traits) -> Option<Traits> {
        let mut both = *a;
        for axis in Axis::ALL {
            let (a, b) = (a[axis as usize], b[axis as usize]);
            both[axis as usize] = match (a, b) {
                (0, other) | (other, 0) => other,
                (a, b) if a == b => a,
                (a, b) => self.narrower(axis, a, b)?,
            };
        }
        Some(both)
    }

    /// The one of two values that is within the other.
    fn narrower(&self, axis: Axis, a: u32, b: u32) -> Option<u32> {
        let text = |number: u32| self.known.get(number as usize - 1).map(|(_, v, _)| &**v);
        let (x, y) = (text(a)?, text(b)?);
        let is_in = |x: &str, y: &str| match axis {
            Axis::Locale => is_within(x, y),
            Axis::Login => y.strip_prefix(ANYBODY).is_some_and(|end| x.ends_with(end)),
            Axis::Org | Axis::RequestType | Axis::Region | Axis::User | Axis::Preview => false,
        };
        match (is_in(x, y), is_in(y, x)) {
            (true, _) => Some(a),
            (false, true) => Some(b),
            (false, false) => None,
        }
    }
}

fn in_words(axis: Axis, value: &str, alike: &[String]) -> String {
    if axis == Axis::Preview {
        return "preview".to_owned();
    }
    let values: Vec<&str> = std::iter::once(value)
        .chain(alike.iter().map(String::as_str))
        .collect();
    let shown = &values[..values.len().min(ALIKE_SHOWN_MAX)];
    let more = match values.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} {}{more}", axis.key(), shown.join(", "))
}

/// What every declaration asks for.
fn asked(scope: &Scope<'_>) -> Vec<Asked> {
    let everywhere = Places::all(scope.countries.len());
    let here = |countries: Option<&[Country]>| match countries {
        Some(countries) => Places::of(scope.countries, countries),
        None => everywhere,
    };
    let mut all = Vec::new();
    for (side, rules) in scope.sides.iter().enumerate() {
        let changed = scope.changed.map(|changed| &changed.sides[side]);
        for (index, rule) in rules.rules.iter().enumerate() {
            let mut asked = of_conditions(&rule.conditions, here);
            asked.is_changed = changed.is_none_or(|c| c.rules.contains(&index));
            all.push(asked);
        }
        for (index, template) in rules.around.wordings.templates().iter().enumerate() {
            let lists = [
                (Axis::Locale, template.locales.clone()),
                (Axis::RequestType, template.request_types.clone()),
                (Axis::Org, template.orgs.clone()),
            ];
            let lists = lists.into_iter();
            all.push(Asked {
                places: here(template.countries.as_deref()),
                lists: lists
                    .filter_map(|(axis, list)| Some((axis, list?)))
                    .collect(),
                is_changed: changed.is_none_or(|c| c.templates.contains(&index)),
            });
        }
        for (index, sender) in rules.senders.iter().enumerate() {
            let orgs = sender.orgs.clone();
            all.push(Asked {
                places: here(sender.countries.as_deref()),
                lists: orgs.map(|orgs| (Axis::Org, orgs)).into_iter().collect(),
                is_changed: changed.is_none_or(|c| c.senders.contains(&index)),
            });
        }
        all.extend(opposites(rules, everywhere));
    }
    if let Some(changed) = scope.changed {
        if names_all_orgs(scope, &all) {
            let orgs = scope.orgs.iter().map(|org| org.to_string());
            all.push(Asked {
                places: everywhere,
                lists: vec![(Axis::Org, orgs.collect())],
                is_changed: false,
            });
        }
        all.push(Asked {
            places: Places::of(scope.countries, &changed.countries),
            lists: Vec::new(),
            is_changed: true,
        });
    }
    all
}

/// Whether no message is from an org that nothing is special about.
fn names_all_orgs(scope: &Scope<'_>, asked: &[Asked]) -> bool {
    let lists = asked.iter().flat_map(|asked| &asked.lists);
    let lists = lists.filter(|(axis, _)| *axis == Axis::Org);
    let named: HashSet<&str> = lists
        .flat_map(|(_, list)| list)
        .map(String::as_str)
        .collect();
    !scope.orgs.is_empty() && scope.orgs.iter().all(|org| named.contains(&**org))
}

/// What rules leave to others when they ask for what messages usually have.
fn opposites(rules: &Rules, everywhere: Places) -> Vec<Asked> {
    let conditions = || rules.rules.iter().flat_map(|rule| &rule.conditions);
    let is_region = |condition: &Condition| match condition {
        Condition::Region(list) => list.iter().any(|region| **region == *rules.region),
        _ => false,
    };
    let of_another_region = conditions().any(is_region);
    let of_previews = conditions().any(|condition| condition.key() == "preview");
    let all = [
        (of_another_region, (Axis::Region, "another")),
        (of_previews, (Axis::Preview, "true")),
    ];
    let all = all.into_iter().filter(|(is_asked, _)| *is_asked);
    let all = all.map(|(_, (axis, value))| Asked {
        places: everywhere,
        lists: vec![(axis, vec![value.to_owned()])],
        is_changed: false,
    });
    all.collect()
}

fn of_conditions(conditions: &[Condition], here: impl Fn(Option<&[Country]>) -> Places) -> Asked {
    let mut places = here(None);
    let mut lists = Vec::new();
    for condition in conditions {
        let list = match condition {
            Condition::Country(list) => {
                places = places.and(here(Some(list)));
                continue;
            }
            // Numbers and channels are told apart for every shape.
            Condition::Prefix(_) | Condition::NumberType(_) | Condition::Channel(_) => continue,
            Condition::RequestType(list) => (Axis::RequestType, list.clone()),
            Condition::Org(list) => (Axis::Org, list.clone()),
            Condition::Locale(list) => (Axis::Locale, list.clone()),
            Condition::Region(list) => (Axis::Region, list.clone()),
            Condition::User(list) => (Axis::User, list.clone()),
            Condition::Login(list) => {
                let logins = list.iter().map(|login| match login {
                    Login::Whole(login) => login.clone(),
                    Login::EndsWith(end) => format!("{ANYBODY}{end}"),
                });
                (Axis::Login, logins.collect())
            }
            Condition::Preview(true) => (Axis::Preview, vec!["true".to_owned()]),
            Condition::Preview(false) => continue,
        };
        lists.push(list);
    }
    Asked {
        places,
        lists,
        is_changed: false,
    }
}
