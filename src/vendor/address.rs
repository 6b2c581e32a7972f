//! Addresses that others name and we go to: read more strictly than any client does, and only where a pattern allows.

use regex::Regex;

/// An address is no longer than this.
const ADDRESS_BYTES_MAX: usize = 2_048;
const SCHEME: &str = "https://";

/// An address of which nothing can be read in two ways: https, a host by name, a path of plain segments and
/// perhaps a query. It has no user, no port, no fragment and nothing escaped in its path.
#[derive(Clone, Copy)]
pub(crate) struct Address<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

/// Which hosts, or beginnings of addresses, are gone to. It always speaks of the whole.
#[derive(Clone, Debug)]
pub(crate) struct Allowed(Regex);

impl PartialEq for Allowed {
    fn eq(&self, other: &Allowed) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<'a> Address<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Address<'a>> {
        let rest = text.strip_prefix(SCHEME)?;
        let (host, path) = rest.split_at(rest.find('/')?);
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let plain = text.len() <= ADDRESS_BYTES_MAX
            && is_host(host)
            && is_path(path)
            && query.is_none_or(is_query);
        plain.then_some(Address { host, path, query })
    }

    /// Scheme, host and the slash before the path.
    fn beginning(&self) -> String {
        format!("{SCHEME}{}/", self.host)
    }
}

impl Allowed {
    /// Reads a pattern of hosts: `^files\.vendor\.example$`.
    ///
    /// # Errors
    /// With what is wrong, and a hint.
    pub(crate) fn hosts(pattern: &str) -> Result<Allowed, (String, Option<String>)> {
        if pattern.starts_with('^') && pattern.ends_with('$') {
            return Allowed::whole(pattern);
        }
        let hint = r"such as `^files\.vendor\.example$`".to_owned();
        let message = "a pattern of hosts begins with `^` and ends with `$`";
        Err((message.to_owned(), Some(hint)))
    }

    /// Reads a pattern of beginnings: `^https://hooks\.vendor\.example/`.
    ///
    /// # Errors
    /// With what is wrong, and a hint.
    pub(crate) fn beginnings(pattern: &str) -> Result<Allowed, (String, Option<String>)> {
        if pattern.starts_with("^https://") && pattern.ends_with('/') {
            return Allowed::whole(pattern);
        }
        let hint = r"such as `^https://hooks\.vendor\.example/`".to_owned();
        let message =
            "a pattern of addresses begins with `^https://` and ends with the `/` after the host";
        Err((message.to_owned(), Some(hint)))
    }

    fn whole(pattern: &str) -> Result<Allowed, (String, Option<String>)> {
        // By itself first: an unclosed group would close with ours.
        let read = Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$")));
        let wrong = |_| (format!("`{pattern}` is not a regular expression"), None);
        read.map(Allowed).map_err(wrong)
    }

    /// Whether the host is one of these.
    pub(crate) fn has_host(&self, address: &Address<'_>) -> bool {
        self.0.is_match(address.host)
    }

    /// Whether the address begins so.
    pub(crate) fn has_beginning(&self, address: &Address<'_>) -> bool {
        self.0.is_match(&address.beginning())
    }
}

/// Labels of small letters, digits and hyphens; not the digits of an IP address.
fn is_host(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let mut labels = host.split('.');
    let named = labels.next_back();
    named.is_some_and(|top| top.starts_with(|c: char| c.is_ascii_lowercase()))
        && host.contains('.')
        && host
            .split('.')
            .all(|l| !l.is_empty() && l.bytes().all(plain))
}

/// `/` alone, or segments of which none is empty or begins with a dot.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let fit = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    let mut segments = path.split('/').skip(1);
    path == "/" || segments.all(|s| fit(s) && s.bytes().all(plain))
}

fn is_query(query: &str) -> bool {
    let other = b"-_.~%=&+:/,;@!$*()?";
    let plain = |b: u8| b.is_ascii_alphanumeric() || other.contains(&b);
    query.bytes().all(plain)
}
