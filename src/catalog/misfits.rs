//! Tells what an account lacks, or has too much, for what its definition can do.

use crate::config::{Config, VendorAccount, is_stand_in};
use crate::flow::Channel;
use crate::problem::{Problems, Source, did_you_mean, nearest};
use crate::vendor::{Account, Secured};

/// One account, and where it is written.
struct Fitting<'a> {
    config: &'a Config,
    source: &'a Source,
    vendor: &'a VendorAccount,
    account: &'a Account,
    problems: &'a mut Problems,
}

/// Tells everything that does not fit; an account that nobody wrote fits.
pub(super) fn tell(
    config: &Config,
    vendor: &VendorAccount,
    account: &Account,
    problems: &mut Problems,
) {
    let Some(source) = &config.source else {
        return;
    };
    let mut fitting = Fitting {
        config,
        source,
        vendor,
        account,
        problems,
    };
    fitting.tell_region();
    if fitting.tell_credentials() {
        fitting.tell_unusable();
        fitting.tell_channels();
        fitting.tell_receipts();
    }
    fitting.tell_scripts();
}

impl Fitting<'_> {
    /// Whether none is missing.
    fn tell_credentials(&mut self) -> bool {
        let name = &self.vendor.name;
        let (missing, unknown) = self.account.misfits();
        let is_misspelt = |name: &str| nearest(name, unknown.iter().copied()).is_some();
        for lacks in missing.iter().filter(|name| !is_misspelt(name)) {
            let message = format!("`{}` has no credential `{lacks}`", name.value);
            let hint = format!("`credentials = {{ {lacks} = \"env:NAME\" }}`");
            let span = name.span.clone();
            self.problems.error_hint(self.source, span, message, hint);
        }
        for (given, _) in &self.vendor.credentials {
            if unknown.contains(&given.value.as_str()) {
                let known = self.account.definition().credentials.iter();
                let hint = did_you_mean(&given.value, known.map(|c| c.name.as_str()));
                let hint = hint.unwrap_or_else(|| "the definition lists what it takes".to_owned());
                let message = format!("`{}` takes no credential `{}`", name.value, given.value);
                let span = given.span.clone();
                self.problems.error_hint(self.source, span, message, hint);
            }
        }
        missing.is_empty()
    }

    /// Credentials that are there and with which no request can be made.
    fn tell_unusable(&mut self) {
        let mut given = self.vendor.credentials.iter();
        if given.any(|(_, secret)| is_stand_in(secret)) {
            return;
        }
        for name in self.account.unusable() {
            let vendor = &self.vendor.name;
            let message = format!("the `{name}` of `{}` cannot be used as it is", vendor.value);
            let hint = "a key in another form than the vendor gives out, or a line break in it";
            let mut given = self.vendor.credentials.iter();
            let place = given.find(|(known, _)| known.value == name);
            let span = place.map_or(&vendor.span, |(known, _)| &known.span).clone();
            self.problems.error_hint(self.source, span, message, hint);
        }
    }

    fn tell_region(&mut self) {
        let Some(region) = &self.vendor.region else {
            return;
        };
        let known = self.account.definition().regions();
        if known.contains(&&*region.value) {
            return;
        }
        let hint = match known.as_slice() {
            [] => "it has no regional addresses; `base_url` may name one".to_owned(),
            known => did_you_mean(&region.value, known.iter().copied())
                .unwrap_or_else(|| format!("it has {}", known.join(", "))),
        };
        let definition = &self.vendor.definition.value;
        let message = format!("`{definition}` has no region `{}`", region.value);
        let span = region.span.clone();
        self.problems.error_hint(self.source, span, message, hint);
    }

    /// What it can carry, where it could carry more.
    fn tell_channels(&mut self) {
        let (name, account) = (&self.vendor.name, self.account);
        let able = account.channels();
        if able.is_empty() && account.origins().is_empty() {
            self.tell_no_address();
            return;
        }
        let could_call = account.definition().operation(Channel::Voice).is_some();
        if could_call && able == [Channel::Sms] {
            let lacking = account.lacking(Channel::Voice);
            let message = format!("`{}` cannot call: text messages only", name.value);
            let hint = format!("calls need the credentials {}", lacking.join(", "));
            let span = self.vendor.name.span.clone();
            self.problems
                .warning(self.source, span, message, Some(hint));
        }
    }

    /// An account whose vendor is nowhere; where the definition or the region is wrong, that is told already.
    fn tell_no_address(&mut self) {
        let definition = self.account.definition();
        let regions = definition.regions();
        let is_told = !regions.is_empty() && self.vendor.region.is_some();
        if definition.operations.is_empty() || is_told {
            return;
        }
        let name = &self.vendor.name;
        let (message, hint) = match regions.as_slice() {
            [] => (
                format!("`{}` has no `base_url`", name.value),
                "this vendor gives every account an address of its own".to_owned(),
            ),
            [first, others @ ..] => {
                let others = others.iter().map(|region| format!(" or `\"{region}\"`"));
                let others: String = others.collect();
                (
                    format!("`{}` has no `region`", name.value),
                    format!("`region = \"{first}\"`{others}"),
                )
            }
        };
        let span = name.span.clone();
        self.problems.error_hint(self.source, span, message, hint);
    }

    /// Receipts that the account cannot prove as well as its vendor allows.
    fn tell_receipts(&mut self) {
        let (name, account) = (&self.vendor.name, self.account);
        let mut told: Vec<(Secured, Vec<&str>)> = Vec::new();
        for channel in account.channels() {
            let Some(secured) = account.unsecured(channel) else {
                continue;
            };
            match told.iter_mut().find(|(known, _)| *known == secured) {
                Some((_, channels)) => channels.push(channel.as_str()),
                None => told.push((secured, vec![channel.as_str()])),
            }
        }
        for (Secured { path, with }, channels) in told {
            let (name, channels) = (&name.value, channels.join(" and "));
            let Some(path) = path else {
                let message = format!(
                    "`{name}` signs its receipts by {channels}, and nobody checks that: the secret address is the only proof"
                );
                let hint = format!("give the account {}", with.join(", "));
                let span = self.vendor.name.span.clone();
                self.problems
                    .warning(self.source, span, message, Some(hint));
                continue;
            };
            let message = format!(
                "nothing is believed of what becomes of `{name}`'s messages by {channels}: its receipts cannot be proven",
            );
            let url = self.config.hook.public_url.as_deref();
            let url = url.unwrap_or("https://PUBLIC_URL").trim_end_matches('/');
            let hint = format!(
                "give the account {}, and the vendor the address `{url}{path}`",
                with.join(", ")
            );
            let span = self.vendor.name.span.clone();
            self.problems
                .warning(self.source, span, message, Some(hint));
        }
    }

    /// A vendor that must fetch what calls say, where nobody has said from where.
    fn tell_scripts(&mut self) {
        let fetches = self.account.fetches_script(Channel::Voice);
        if !fetches || self.config.hook.public_url.is_some() {
            return;
        }
        let name = &self.vendor.name;
        let message = format!(
            "`{}` cannot call: without `public_url` in `[hook]` it cannot fetch what a call is to say",
            name.value
        );
        let hint = "`public_url = \"https://otp.example\"`, the address at which vendors reach the hook listener";
        let (span, hint) = (name.span.clone(), Some(hint.to_owned()));
        self.problems.warning(self.source, span, message, hint);
    }
}
