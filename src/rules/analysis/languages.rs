//! Finds calls in languages that no vendor of their chain has a voice for.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::Step;
use crate::number::Country;
use crate::rules::Decision;
use crate::rules::analysis::{Analysis, shown};

impl Analysis<'_> {
    pub(super) fn languages(&self) {
        let mut unspoken: BTreeMap<(&str, &str), BTreeSet<Country>> = BTreeMap::new();
        for (probe, met) in &self.cases {
            let Decision::Plan(plan) = &met.decision else {
                continue;
            };
            let country = probe.number.country();
            let unheard = |step: &&Step| !plan.steps.iter().any(|other| step.yields_to(other));
            let stay = plan.steps.iter().filter(unheard);
            for language in stay.filter_map(|step| step.foreign.as_deref()) {
                let countries = unspoken.entry((&plan.chain, language)).or_default();
                countries.extend(Some(country).filter(|c| self.apart.is_named(*c)));
            }
        }
        for ((chain, language), countries) in unspoken {
            let calls = match countries.is_empty() {
                true => "calls".to_owned(),
                false => format!("calls to {}", shown(&countries)),
            };
            let message = format!("no vendor of chain `{chain}` speaks {language}, for {calls}");
            let hint = "they are read with a foreign accent; a vendor whose definition `speaks` it";
            if let Some(place) = self.chain_place(chain) {
                place.warning(self.problems, message, Some(hint.to_owned()));
            }
        }
    }
}
