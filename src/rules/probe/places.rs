//! A set of the countries that are asked about, as bits.

use crate::number::Country;

const WORD: usize = 64;
const WORDS: usize = 5;
/// Countries, at most: more than there are.
pub(super) const PLACES_MAX: usize = WORDS * WORD;

/// Some of the countries that are asked about, by their index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places([u64; WORDS]);

impl Places {
    /// The first so many.
    pub(super) fn all(count: usize) -> Places {
        let mut places = Places::default();
        (0..count).for_each(|index| places.add(index));
        places
    }

    /// Those of the sorted countries that are listed.
    pub(super) fn of(countries: &[Country], listed: &[Country]) -> Places {
        let mut places = Places::default();
        for country in listed {
            if let Ok(index) = countries.binary_search(country) {
                places.add(index);
            }
        }
        places
    }

    fn add(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / WORD) {
            *word |= 1 << (index % WORD);
        }
    }

    pub(super) fn and(self, other: Places) -> Places {
        Places(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    pub(super) fn or(self, other: Places) -> Places {
        Places(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Those that are not in the other one.
    pub(super) fn without(self, other: Places) -> Places {
        Places(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    pub(super) fn is_none(self) -> bool {
        self == Places::default()
    }

    /// The indices, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..PLACES_MAX).filter(move |i| self.0[i / WORD] >> (i % WORD) & 1 == 1)
    }
}
