//! Reads the vendor accounts of `trunkline.toml`.

use std::sync::Arc;

use crate::config::VendorAccount;
use crate::config::read::{Reader, is_plain_address, rate};
use crate::document::{At, Table, Value};
use crate::flow::Secret;

/// Stands in for an address that is none.
const NOWHERE: &str = "https://vendor.invalid";
impl Reader<'_> {
    pub(super) fn vendors(&self, root: &Table<'_>) -> Vec<VendorAccount> {
        let Some(table) = root.read("vendors", Value::table) else {
            return Vec::new();
        };
        let accounts = table.entries();
        accounts
            .into_iter()
            .filter_map(|(name, value)| Some(self.vendor(name, &value.table()?)))
            .collect()
    }

    fn vendor(&self, name: At<String>, table: &Table<'_>) -> VendorAccount {
        let definition = table.read("definition", Value::string);
        let base_url = table.read("base_url", |v| base_url(table, v));
        // One that is wrong is told, and is not missing.
        let base_url = base_url.or(table.get("base_url").map(|_| NOWHERE.to_owned()));
        let from = table.read("from", Value::string);
        let rate = table.read("rate", rate);
        let region = table.read("region", Value::string);
        let data_region = table.read("data_region", Value::string);
        let quota = table.read("quota", Value::string);
        let credentials = table.read("credentials", Value::table);
        table.finish();
        let credentials = credentials.map_or_else(Vec::new, |table| {
            let entries = table.entries();
            entries
                .into_iter()
                // One that cannot be had is told, and is not missing.
                .map(|(name, value)| {
                    // Simulated vendors have credentials of their own.
                    let secret = self.secret_or(value, self.around.sandbox);
                    (name, secret.unwrap_or_else(|| Secret::new("")))
                })
                .collect()
        });
        VendorAccount {
            definition: definition.unwrap_or_else(|| name.clone()),
            name: name.map(Arc::from),
            base_url,
            credentials,
            from: from.map(|f| f.value.into()),
            rate,
            region: region.map(|r| r.map(Arc::from)),
            data_region: data_region.map(|r| r.value.into()),
            quota: quota.map(|q| q.value.into()),
        }
    }
}

/// Where a vendor is.
fn base_url(table: &Table<'_>, value: Value<'_>) -> Option<String> {
    let url = value.string()?;
    if !is_plain_address(&url.value) {
        return value.wrong(
            "`base_url` is the address of a vendor, without user, query or fragment",
            Some("such as `https://api.vendor.example`".to_owned()),
        );
    }
    let read: Option<http::Uri> = url.value.parse().ok();
    let host = read.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let is_near = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    if url.value.starts_with("http:") && !is_near {
        let message = "passcodes and credentials would go to this vendor unencrypted";
        table.warning(url.span, message, Some("`https://..`".to_owned()));
    }
    Some(url.value)
}
