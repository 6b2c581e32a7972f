//! Where open deliveries hear of what others learn about them, and are asked what a call is to say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::dispatch::scripts::Fetch;
use crate::flow::{Channel, DeliveryId, Receipt, VendorName};
use crate::journal::Ack;

/// What waits for one delivery, at most.
const INBOX_MAX: usize = 64;

/// Something that a delivery's driver is to feed it.
pub(super) enum Post {
    /// A receipt. Whoever took it in waits to hear that it is on disk.
    Reported {
        report: Report,
        kept: oneshot::Sender<Ack>,
    },
    /// A vendor comes for what a call is to say.
    Fetched(Box<Fetch>),
    /// The same person has a newer passcode.
    Superseded,
}

/// A receipt, and what it claims to be of.
pub(super) struct Report {
    pub(super) attempt: usize,
    pub(super) vendor: VendorName,
    pub(super) channel: Channel,
    pub(super) receipt: Receipt,
}

/// What arrives for one delivery.
pub(super) type Inbox = mpsc::Receiver<Post>;

/// Why nothing was put into an inbox.
pub(super) enum Unposted {
    /// The delivery is not open here.
    Closed(Post),
    /// Too much waits in it already.
    Full,
}

/// The inboxes of all open deliveries.
#[derive(Default)]
pub(super) struct Inboxes(Mutex<HashMap<DeliveryId, mpsc::Sender<Post>>>);

impl Inboxes {
    /// Opens the inbox of a delivery.
    pub(super) fn open(&self, id: DeliveryId) -> Inbox {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        self.lock().insert(id, sender);
        inbox
    }

    /// Nothing more is put into it from now on.
    pub(super) fn close(&self, id: DeliveryId) {
        self.lock().remove(&id);
    }

    pub(super) fn post(&self, id: DeliveryId, post: Post) -> Result<(), Unposted> {
        let Some(sender) = self.lock().get(&id).cloned() else {
            return Err(Unposted::Closed(post));
        };
        sender.try_send(post).map_err(|refused| match refused {
            mpsc::error::TrySendError::Closed(post) => Unposted::Closed(post),
            mpsc::error::TrySendError::Full(_) => Unposted::Full,
        })
    }

    /// How many deliveries are open.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeliveryId, mpsc::Sender<Post>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
