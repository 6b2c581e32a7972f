//! The words that tell a simulated vendor how to behave.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A slow vendor is at most this slow.
const SLOW_MAX: Duration = Duration::from_secs(120);
/// A late receipt is at most this late.
const LATE_MAX: Duration = Duration::from_secs(3_600);
/// A vendor asks to be left alone for at most this long.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// Digits in a prefix, at most: as many as a number has.
const PREFIX_DIGITS_MAX: usize = 15;

/// How a simulated vendor behaves: `undelivered`, `500%30`, `reject:21211@+65`, `500%30@+65`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    pub act: Act,
    /// Of a hundred requests, how many are treated so; the others are accepted.
    pub share: Option<u8>,
    /// Only numbers that begin so: `+65`.
    pub prefix: Option<String>,
}

/// What a simulated vendor does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Accept(Reports),
    /// Accepts after this long.
    Slow(Duration),
    /// Refuses with this code, or with the definition's default.
    Reject(Option<String>),
    /// Answers with this HTTP status, from 500 to 599.
    Error(u16),
    /// Has no room; perhaps says after how many seconds to come again.
    Throttle(Option<Duration>),
    /// Takes the request and never answers.
    Silent,
    /// Refuses the connection.
    Refuse,
}

/// What a simulated vendor tells of a message it accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reports {
    /// On its way, then delivered.
    Delivered,
    /// Failed, with this code or the definition's default.
    Undelivered(Option<String>),
    Nothing,
    /// Delivered, after this long.
    Late(Duration),
    /// Delivered, before the answer to the request.
    Early,
    /// Delivered, then on its way, each of them twice.
    Doubled,
    /// Delivered, with a signature or a reference that is not right.
    Forged,
}

impl Behaviour {
    /// Accepts every message and reports it delivered.
    pub const ACCEPT: Behaviour = Behaviour {
        act: Act::Accept(Reports::Delivered),
        share: None,
        prefix: None,
    };
}

/// A word that says nothing to a simulated vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no behaviour: accept, reject, reject:CODE, 500, throttle, throttle:3s, silent, slow:2s, refuse, \
             undelivered, undelivered:CODE, unreported, late:10m, early, doubled, forged; \
             all but refuse also for a share (500%30), a prefix (accept@+65), or both (500%30@+65)",
            self.0
        )
    }
}

impl std::error::Error for Unreadable {}

impl FromStr for Behaviour {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Behaviour, Unreadable> {
        read(text).ok_or_else(|| Unreadable(text.chars().take(64).collect()))
    }
}

fn read(text: &str) -> Option<Behaviour> {
    let (rest, prefix) = match text.rsplit_once('@') {
        Some((rest, prefix)) => (rest, Some(read_prefix(prefix)?)),
        None => (text, None),
    };
    let (word, share) = match rest.rsplit_once('%') {
        Some((word, share)) => {
            let share = share.parse().ok().filter(|s| (1..=100).contains(s))?;
            (word, Some(share))
        }
        None => (rest, None),
    };
    let act = read_act(word)?;
    // A connection is refused before anybody knows the number.
    if act == Act::Refuse && (share.is_some() || prefix.is_some()) {
        return None;
    }
    Some(Behaviour { act, share, prefix })
}

fn read_act(text: &str) -> Option<Act> {
    let (word, rest) = match text.split_once(':') {
        Some((word, rest)) => (word, Some(rest)),
        None => (text, None),
    };
    let code = rest.map(str::to_owned);
    let time = |max: Duration| {
        let time = humantime::parse_duration(rest?).ok()?;
        (time <= max).then_some(time)
    };
    Some(match (word, rest) {
        ("accept", None) => Act::Accept(Reports::Delivered),
        ("undelivered", _) => Act::Accept(Reports::Undelivered(code)),
        ("unreported", None) => Act::Accept(Reports::Nothing),
        ("late", _) => Act::Accept(Reports::Late(time(LATE_MAX)?)),
        ("early", None) => Act::Accept(Reports::Early),
        ("doubled", None) => Act::Accept(Reports::Doubled),
        ("forged", None) => Act::Accept(Reports::Forged),
        ("slow", _) => Act::Slow(time(SLOW_MAX)?),
        ("reject", _) => Act::Reject(code),
        ("throttle", None) => Act::Throttle(None),
        ("throttle", Some(_)) => Act::Throttle(Some(time(WAIT_MAX)?)),
        ("silent", None) => Act::Silent,
        ("refuse", None) => Act::Refuse,
        (status, None) => Act::Error(status.parse().ok().filter(|s| (500..=599).contains(s))?),
        (_, Some(_)) => return None,
    })
}

fn read_prefix(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+')?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=PREFIX_DIGITS_MAX).contains(&digits.len());
    (plain && fits).then(|| text.to_owned())
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.act)?;
        if let Some(share) = self.share {
            write!(f, "%{share}")?;
        }
        match &self.prefix {
            Some(prefix) => write!(f, "@{prefix}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coded = |f: &mut fmt::Formatter<'_>, word: &str, code: &Option<String>| match code {
            Some(code) => write!(f, "{word}:{code}"),
            None => f.write_str(word),
        };
        match self {
            Act::Accept(Reports::Delivered) => f.write_str("accept"),
            Act::Accept(Reports::Undelivered(code)) => coded(f, "undelivered", code),
            Act::Accept(Reports::Nothing) => f.write_str("unreported"),
            Act::Accept(Reports::Late(time)) => {
                write!(f, "late:{}", humantime::format_duration(*time))
            }
            Act::Accept(Reports::Early) => f.write_str("early"),
            Act::Accept(Reports::Doubled) => f.write_str("doubled"),
            Act::Accept(Reports::Forged) => f.write_str("forged"),
            Act::Slow(time) => write!(f, "slow:{}", humantime::format_duration(*time)),
            Act::Reject(code) => coded(f, "reject", code),
            Act::Error(status) => write!(f, "{status}"),
            Act::Throttle(None) => f.write_str("throttle"),
            Act::Throttle(Some(time)) => {
                write!(f, "throttle:{}", humantime::format_duration(*time))
            }
            Act::Silent => f.write_str("silent"),
            Act::Refuse => f.write_str("refuse"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_written_back() {
        for word in [
            "accept",
            "reject",
            "reject:21211",
            "reject:low-balance",
            "500",
            "504",
            "throttle",
            "throttle:3s",
            "silent",
            "slow:2s",
            "slow:250ms",
            "refuse",
            "undelivered",
            "undelivered:30003",
            "unreported",
            "late:10m",
            "late:1h",
            "early",
            "doubled",
            "forged",
            "undelivered@+65",
            "reject:21211@+1",
            "500%30",
            "500%100",
            "500%30@+65",
            "late:2s%50@+6591234567",
        ] {
            assert_eq!(word.parse::<Behaviour>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn other_words_are_told() {
        for word in [
            "",
            "acept",
            "200",
            "slow",
            "slow:1h",
            "silent:1",
            "late",
            "late:2h",
            "early:1s",
            "500%0",
            "500%101",
            "500%",
            "500@65",
            "500@+",
            "500@+6a",
            "500@+1234567890123456",
            "500@+65%30",
            "refuse@+65",
            "refuse%30",
        ] {
            let told = word.parse::<Behaviour>().unwrap_err().to_string();
            assert!(
                told.starts_with(&format!("`{word}` is no behaviour")),
                "{told}"
            );
        }
    }
}
