//! Reads Okta's request, writes Okta's answer.
