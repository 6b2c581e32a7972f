//! The simulation's only chance: seeded, the same on every machine.

/// xorshift64*, begun with a well-mixed seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(mix(seed) | 1)
    }

    /// Dice of their own for something that happens to the same thing, by its number.
    pub(super) fn of(seed: u64, number: u64) -> Dice {
        Dice::new(seed ^ mix(number.wrapping_add(1)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to `below`, which is not reached.
    pub(super) fn roll(&mut self, below: usize) -> usize {
        let high = u128::from(self.next()) * below as u128;
        (high >> 64) as usize
    }

    /// From 0 to 1, which is not reached.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True for this share of all throws.
    pub(super) fn falls_within(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }
}

/// splitmix64: near seeds become far apart.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
