//! What a message says: the template that fits it best, or the language it is spoken in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::flow::{Channel, VendorName, Wording};
use crate::number::Country;
use crate::rules::condition::is_within;
use crate::rules::file::Validity;
use crate::rules::plan::{Said, Wanted};

pub(super) use crate::text::Words;

/// What `{org}` is where no org is configured.
const NOBODY: &str = "Okta";

/// A template as meant; absent conditions always hold.
#[derive(Debug)]
pub(super) struct Template {
    /// Its name, else where it stands as `file:line`.
    pub(super) name: Arc<str>,
    /// Sorted.
    pub(super) countries: Option<Vec<Country>>,
    /// Lower case.
    pub(super) locales: Option<Vec<String>>,
    pub(super) orgs: Option<Vec<String>>,
    pub(super) request_types: Option<Vec<String>>,
    pub(super) vendors: Option<Vec<VendorName>>,
    pub(super) channel: Channel,
    pub(super) validity: Validity,
    pub(super) words: Words,
    pub(super) language: Option<Arc<str>>,
    pub(super) parameters: BTreeMap<Arc<str>, Arc<str>>,
    pub(super) webotp: Option<String>,
}

/// All templates, and what orgs are called in them.
#[derive(Debug, Default)]
pub(super) struct Wordings {
    /// Those with most conditions first.
    templates: Vec<Template>,
    /// What people call an org, by its configured name.
    orgs: BTreeMap<Arc<str>, Arc<str>>,
}

impl Wordings {
    pub(super) fn new(
        mut templates: Vec<Template>,
        orgs: impl IntoIterator<Item = (Arc<str>, Arc<str>)>,
    ) -> Wordings {
        templates.sort_by_key(|template| std::cmp::Reverse(template.conditions()));
        Wordings {
            templates,
            orgs: orgs.into_iter().collect(),
        }
    }

    pub(super) fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// What is said by a channel of a vendor; `None` for Okta's own text, unchanged.
    pub(super) fn of(
        &self,
        vendor: &str,
        wanted: &Wanted<'_>,
        said: &Said<'_>,
    ) -> Option<Arc<Wording>> {
        // Without the passcode apart from the text there is nothing to put into a template.
        let code = said.given.code;
        let template = code.and_then(|_| self.best(vendor, wanted, said));
        if let Some(template) = template {
            return Some(Arc::new(Wording {
                text: Some(self.settle(template, wanted.org, said.life_ms)),
                template: Some(template.name.clone()),
                language: template.language.clone().or_else(|| language(said.locale)),
                parameters: template.parameters.clone(),
                transliterate: wanted.transliterate,
            }));
        }
        let okta_speaks = wanted.channel == Channel::Sms && said.given.text.is_some();
        let language = (!okta_speaks).then(|| language(said.locale)).flatten();
        (language.is_some() || wanted.transliterate).then(|| {
            Arc::new(Wording {
                language,
                transliterate: wanted.transliterate,
                ..Wording::default()
            })
        })
    }

    /// Of the templates that fit with as many conditions, the one with the closest locale; then the first.
    fn best(&self, vendor: &str, wanted: &Wanted<'_>, said: &Said<'_>) -> Option<&Template> {
        let mut fitting = self.templates.iter();
        let first = fitting.find(|template| template.fits(vendor, wanted, said))?;
        let alike = fitting.take_while(|template| template.conditions() == first.conditions());
        let alike = alike.filter(|template| template.fits(vendor, wanted, said));
        Some(alike.fold(first, |best, next| {
            if next.closeness(said.locale) > best.closeness(said.locale) {
                next
            } else {
                best
            }
        }))
    }

    /// A template's text with all but the passcode in it.
    fn settle(&self, template: &Template, org: &str, life_ms: i64) -> Arc<str> {
        let org = self.orgs.get(org).map_or(NOBODY, |display| &**display);
        let minutes = life_ms / 60_000;
        let webotp = template.webotp.as_deref();
        template.words.settle(org, minutes, webotp).into()
    }
}

/// The language that a locale is spoken in; `None` where nobody said any.
fn language(locale: &str) -> Option<Arc<str>> {
    let spoken = (!locale.is_empty()).then(|| crate::text::script(locale));
    spoken.map(|script| Arc::from(script.language))
}

impl Template {
    fn fits(&self, vendor: &str, wanted: &Wanted<'_>, said: &Said<'_>) -> bool {
        let countries = self.countries.as_ref();
        let locales = self.locales.as_ref();
        let types = self.request_types.as_ref();
        self.channel == wanted.channel
            && countries.is_none_or(|c| c.binary_search(&wanted.country).is_ok())
            && locales.is_none_or(|l| l.iter().any(|l| is_within(said.locale, l)))
            && self
                .orgs
                .as_ref()
                .is_none_or(|o| o.iter().any(|o| o == wanted.org))
            && types.is_none_or(|t| t.iter().any(|t| t.eq_ignore_ascii_case(said.request_type)))
            && self
                .vendors
                .as_ref()
                .is_none_or(|v| v.iter().any(|v| **v == *vendor))
            && (wanted.any_time || self.validity.holds(wanted.now))
    }

    /// How many conditions it has.
    fn conditions(&self) -> usize {
        let given = [
            self.countries.is_some(),
            self.locales.is_some(),
            self.orgs.is_some(),
            self.request_types.is_some(),
            self.vendors.is_some(),
        ];
        given.iter().filter(|given| **given).count()
    }

    /// How much of a locale it names.
    fn closeness(&self, locale: &str) -> usize {
        let locales = self.locales.iter().flatten();
        let wide = locales.filter(|wide| is_within(locale, wide));
        wide.map(String::len).max().unwrap_or(0)
    }
}
