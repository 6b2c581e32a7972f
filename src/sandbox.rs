//! Vendors that live inside the process, speak their own API over real sockets, and fail as they are told.

mod behaviour;
mod manners;
mod pickup;
mod reporter;
mod simulator;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;

use crate::flow::VendorName;
use crate::vendor::{Account, Definition};

pub use behaviour::{Act, Behaviour, Reports, Unreadable};
use simulator::Simulator;

/// All simulated vendors; each has a loopback listener of its own.
#[derive(Default)]
pub struct Sandbox {
    simulators: Mutex<BTreeMap<VendorName, Arc<Simulator>>>,
    /// Where the client takes receipts: for vendors that are told so once and not with each message.
    client_url: Arc<OnceLock<String>>,
}

/// One simulated vendor, as the admin API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Simulated {
    pub vendor: String,
    pub behaviour: String,
    /// Requests that arrived.
    pub received: u64,
    /// Messages that were accepted.
    pub accepted: u64,
    /// Receipts that were sent.
    pub reported: u64,
}

impl Sandbox {
    /// The account through which a simulated vendor is used; the vendor is started if it is new, and speaks
    /// this definition from now on. Must be called within a runtime.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub fn account(
        &self,
        name: &VendorName,
        definition: &Arc<Definition>,
        from: Option<Arc<str>>,
    ) -> io::Result<Account> {
        let mut simulators = self.lock();
        let account = |address: String| {
            Account::example(
                Arc::clone(definition),
                Arc::clone(name),
                address,
                from.clone(),
            )
        };
        if let Some(simulator) = simulators.get(name) {
            let account = account(simulator.base_url());
            simulator.speak_as(account.clone());
            return Ok(account);
        }
        let simulator = Simulator::start(account, Arc::clone(&self.client_url))?;
        let account = simulator.account();
        simulators.insert(Arc::clone(name), simulator);
        Ok(account)
    }

    /// Tells all vendors where receipts go that are not asked for with each message. Only the first time counts.
    pub fn report_to(&self, client_url: String) {
        self.client_url.get_or_init(|| client_url);
    }

    /// Tells a vendor how to behave from now on, in general or towards one prefix; `false` when there is no such vendor.
    pub fn steer(&self, vendor: &str, behaviour: Behaviour) -> bool {
        let simulators = self.lock();
        let simulator = simulators.get(vendor);
        simulator.is_some_and(|simulator| simulator.steer(behaviour))
    }

    /// Every vendor and what it has seen.
    pub fn state(&self) -> Vec<Simulated> {
        let simulators = self.lock();
        let shown = simulators.iter().map(|(name, s)| s.shown(name));
        shown.collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<VendorName, Arc<Simulator>>> {
        self.simulators
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
