//! The people of one country who ask for passcodes, one after the other.

use std::sync::Arc;

use crate::flow::{Channel, DeliveryId, Message, Secret};
use crate::simulation::dice::Dice;
use crate::simulation::scenario::Traffic;
use crate::time::Moment;

/// The text that is sent.
const TEXT: &str = "Your verification code is 123456.";
const CODE: &str = "123456";

/// One country's people, and the next of them.
pub(super) struct Stream {
    dice: Dice,
    /// In milliseconds after the start.
    next_ms: f64,
    pub(super) count: u64,
    pub(super) country: usize,
    pub(super) message: Message,
}

impl Stream {
    pub(super) fn new(traffic: &Traffic, country: usize, life_ms: i64, dice: Dice) -> Stream {
        let text = match traffic.channel {
            Channel::Sms => Some(Secret::new(TEXT)),
            Channel::Voice => None,
        };
        let message = Message {
            id: DeliveryId::from_bytes([0; 16]),
            org: Arc::clone(&traffic.org),
            event: None,
            to: Ok(traffic.to.clone()),
            channel: traffic.channel,
            code: Some(Secret::new(CODE)),
            text,
            locale: traffic.locale.clone(),
            request_type: traffic.request_type.clone(),
            user: None,
            login: None,
            ip: None,
            preview: false,
            resend: false,
            received_at: Moment(0),
            life_ms,
        };
        #[expect(clippy::cast_precision_loss, reason = "a scenario lasts some days")]
        let next_ms = traffic.from_ms as f64;
        Stream {
            dice,
            next_ms,
            count: 0,
            country,
            message,
        }
    }

    /// When the next one asks, in milliseconds after the start; None once the traffic has ended.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a scenario lasts some days"
    )]
    pub(super) fn next_ms(&mut self, traffic: &Traffic) -> Option<i64> {
        self.next_ms -= (1.0 - self.dice.share()).ln() * traffic.every_ms;
        let ms = self.next_ms as i64;
        (ms < traffic.to_ms).then_some(ms)
    }
}
