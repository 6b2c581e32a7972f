//! The words that tell a simulated vendor how to behave.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A slow vendor is at most this slow.
const SLOW_MAX: Duration = Duration::from_secs(120);

/// How a simulated vendor behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Accept,
    /// Refuses with this code, or with the definition's default.
    Reject(Option<String>),
    /// Answers with this HTTP status, from 500 to 599.
    Error(u16),
    Throttle,
    /// Takes the request and never answers.
    Silent,
    /// Accepts after this long.
    Slow(Duration),
    /// Refuses the connection.
    Refuse,
}

/// A word that says nothing to a simulated vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no behaviour: accept, reject, reject:CODE, 500, throttle, silent, slow:2s, refuse",
            self.0
        )
    }
}

impl std::error::Error for Unreadable {}

impl FromStr for Behaviour {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Behaviour, Unreadable> {
        let unreadable = || Unreadable(text.chars().take(64).collect());
        let (word, rest) = match text.split_once(':') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text, None),
        };
        match (word, rest) {
            ("accept", None) => Ok(Behaviour::Accept),
            ("reject", code) => Ok(Behaviour::Reject(code.map(str::to_owned))),
            ("throttle", None) => Ok(Behaviour::Throttle),
            ("silent", None) => Ok(Behaviour::Silent),
            ("refuse", None) => Ok(Behaviour::Refuse),
            ("slow", Some(time)) => humantime::parse_duration(time)
                .ok()
                .filter(|time| *time <= SLOW_MAX)
                .map(Behaviour::Slow)
                .ok_or_else(unreadable),
            (status, None) => match status.parse() {
                Ok(status @ 500..=599) => Ok(Behaviour::Error(status)),
                Ok(_) | Err(_) => Err(unreadable()),
            },
            _ => Err(unreadable()),
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behaviour::Accept => f.write_str("accept"),
            Behaviour::Reject(None) => f.write_str("reject"),
            Behaviour::Reject(Some(code)) => write!(f, "reject:{code}"),
            Behaviour::Error(status) => write!(f, "{status}"),
            Behaviour::Throttle => f.write_str("throttle"),
            Behaviour::Silent => f.write_str("silent"),
            Behaviour::Slow(time) => write!(f, "slow:{}", humantime::format_duration(*time)),
            Behaviour::Refuse => f.write_str("refuse"),
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
            "silent",
            "slow:2s",
            "slow:250ms",
            "refuse",
        ] {
            assert_eq!(word.parse::<Behaviour>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn other_words_are_told() {
        for word in ["", "acept", "200", "slow", "slow:1h", "silent:1"] {
            let told = word.parse::<Behaviour>().unwrap_err().to_string();
            assert!(
                told.starts_with(&format!("`{word}` is no behaviour")),
                "{told}"
            );
        }
    }
}
