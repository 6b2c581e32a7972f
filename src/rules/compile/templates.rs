//! Makes templates as meant.

use std::sync::Arc;

use crate::flow::VendorName;
use crate::rules::compile::senders::texts;
use crate::rules::compile::{Compiler, Found};
use crate::rules::file;
use crate::rules::wording::Template;

impl Compiler<'_> {
    pub(super) fn templates(&self, written: &[file::Template]) -> Vec<Template> {
        written
            .iter()
            .map(|template| self.template(template))
            .collect()
    }

    fn template(&self, written: &file::Template) -> Template {
        let vendors = written.vendors.as_ref().map(|names| {
            let found = names.iter().filter_map(|name| match self.vendor(name) {
                Found::Account(vendor) => Some(vendor),
                Found::NoAccount | Found::Unknown => None,
            });
            found.collect::<Vec<VendorName>>()
        });
        for org in written.orgs.iter().flatten() {
            self.unknown_org(&org.text, &org.place);
        }
        let countries = written.countries.as_ref();
        let name = match &written.name {
            Some(name) => name.text.clone(),
            None => written.place.line(),
        };
        let parameters = written.parameters.iter();
        Template {
            name: name.into(),
            countries: countries.map(|c| self.groups.countries(c)),
            locales: written.locales.clone(),
            orgs: written.orgs.as_deref().map(texts),
            request_types: written.request_types.clone(),
            vendors,
            channel: written.channel,
            validity: written.validity.clone(),
            words: written.words.clone(),
            language: written.language.as_deref().map(Arc::from),
            parameters: parameters
                .map(|(name, value)| (Arc::from(&**name), Arc::from(&**value)))
                .collect(),
            webotp: written.webotp.clone(),
        }
    }
}
