//! A time that is never twice the same: half of its draws are below one value, 99 of 100 below another.

use std::sync::Arc;

use crate::simulation::dice::Dice;

/// How finely a spread is cut.
const CUTS: u32 = 1_024;
/// Where 99 of 100 lie below, in standard deviations.
const P99_DEVIATIONS: f64 = 2.326_347_874;

/// A log-normal spread of milliseconds, as a table that one throw looks up; or one fixed time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread(Arc<[i64]>);

impl Spread {
    pub(super) fn fixed(ms: i64) -> Spread {
        Spread(Arc::from([ms]))
    }

    /// Half of the draws take at most `p50_ms`, 99 of 100 at most `p99_ms`, which is no less.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "milliseconds fit for 285,000 years"
    )]
    pub(super) fn between(p50_ms: i64, p99_ms: i64) -> Spread {
        let (p50, p99) = (p50_ms.max(1) as f64, p99_ms.max(p50_ms).max(1) as f64);
        let deviation = (p99 / p50).ln() / P99_DEVIATIONS;
        let cut = |cut: u32| {
            let below = (f64::from(cut) + 0.5) / f64::from(CUTS);
            (p50 * (deviation * deviations(below)).exp()).round() as i64
        };
        Spread((0..CUTS).map(cut).collect())
    }

    pub(super) fn draw(&self, dice: &mut Dice) -> i64 {
        self.0[dice.roll(self.0.len())]
    }
}

/// How many standard deviations from the mean a normal value lies that `below` of all values are below;
/// Acklam's rational approximation, good to nine digits.
fn deviations(below: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
        1.0,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        0.007_784_695_709_041_462,
        0.322_467_129_070_039_8,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.024_25;
    if below > 0.5 {
        return -deviations(1.0 - below);
    }
    if below < TAIL {
        let q = (-2.0 * below.ln()).sqrt();
        return polynomial(&C, q) / polynomial(&D, q);
    }
    let q = below - 0.5;
    polynomial(&A, q * q) * q / polynomial(&B, q * q)
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}
