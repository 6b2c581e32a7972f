//! What a call is to say, where the vendor fetches that from us when somebody has picked up.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};

use crate::flow::{Channel, Secret};
use crate::time::Moment;
use crate::vendor::account::Account;
use crate::vendor::definition::Operation;
use crate::vendor::receipt::{Callback, Refusal};
use crate::vendor::request::{Job, Unfit};
use crate::vendor::signature::Proof;
use crate::vendor::template::{Slot, Template, Unfilled};

/// What the vendor fetches, and how it proves that it is the vendor who does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) content_type: HeaderValue,
    /// With the slots of a request, but without credentials: what is fetched may be read on its way.
    pub(crate) body: Template,
    pub(crate) proof: Proof,
}

/// A script, written for one call.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub content_type: HeaderValue,
    /// The passcode is in it; never logged.
    pub body: Secret,
}

impl Account {
    /// Whether the vendor fetches what a call is to say.
    pub fn fetches_script(&self, channel: Channel) -> bool {
        self.script_of(channel).is_some()
    }

    /// What a call is to say.
    ///
    /// # Errors
    /// When the definition has no script there, or something the script needs is not there.
    pub fn spoken(&self, channel: Channel, job: &Job<'_>, now: Moment) -> Result<Spoken, Unfit> {
        let operation = self.definition().operation(channel);
        let operation = operation.ok_or(Unfit::NoChannel)?;
        let script = operation.script.as_ref().ok_or(Unfit::NoChannel)?;
        Ok(Spoken {
            content_type: script.content_type.clone(),
            body: operation.spoken(script, job, now)?,
        })
    }

    /// Whether it is the vendor who comes for a script.
    ///
    /// # Errors
    /// When that cannot be shown.
    pub fn proves_script(
        &self,
        channel: Channel,
        callback: &Callback<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let script = self.script_of(channel).ok_or(Refusal::Forged)?;
        let credentials = |slot: &Slot| self.credential_in(slot);
        script.proof.check(callback, &credentials, now)
    }

    /// The request by which the simulator fetches a script, signed as the vendor signs.
    pub fn script_request(
        &self,
        channel: Channel,
        url: &str,
        now: Moment,
    ) -> Option<Request<Bytes>> {
        let script = self.script_of(channel)?;
        let request = Request::builder().method(Method::POST).uri(url);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = request.header(CONTENT_TYPE, form);
        let mut request = request.body(Bytes::new()).ok()?;
        let credentials = |slot: &Slot| self.credential_in(slot);
        script.proof.sign(&mut request, &credentials, now);
        Some(request)
    }

    fn script_of(&self, channel: Channel) -> Option<&Script> {
        self.definition().operation(channel)?.script.as_ref()
    }
}

impl Operation {
    /// A call whose script could not be fetched, or not be written, would be silent.
    pub(crate) fn check_script(&self, job: &Job<'_>, now: Moment) -> Result<(), Unfit> {
        let Some(script) = &self.script else {
            return Ok(());
        };
        if job.script.is_none() {
            return Err(Unfit::NoScriptAddress);
        }
        self.spoken(script, job, now).map(drop)
    }

    fn spoken(&self, script: &Script, job: &Job<'_>, now: Moment) -> Result<Secret, Unfit> {
        let fill = |slot: &Slot| self.value(slot, &|_| None, job, now);
        let body = script.body.fill(&fill)?;
        // The only way to leave a whole script out is a slot with `?`.
        body.map(Secret::new)
            .ok_or_else(|| Unfilled(Slot::Text).into())
    }
}
