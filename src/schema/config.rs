//! Describes `trunkline.toml`.

use crate::schema::{Key, Kind, Table};

const DAY_MS: i64 = 86_400_000;

pub(super) const OPENING: &str = "\
What the process needs to start: `trunkline.toml`, named with `--config`, else in the working directory, else built-in
defaults. Everything may be left out. All of it but the listeners and the journal is read again when the file, a secret or a
certificate changes; with a mistake anywhere nothing changes. Relative paths start at the file.

A secret is `env:NAME` or `file:PATH`. Only with `--sandbox` may it stand here itself.";

fn secret() -> Kind {
    Kind::form("secret", "^(env|file):.+$", &["env:NAME", "file:PATH"])
}

fn path() -> Kind {
    Kind::text("path")
}

fn address(example: &'static str) -> Kind {
    let pattern = r"^([0-9.]+|\[[0-9A-Fa-f:.%]+\]):[0-9]+$";
    Kind::form("address and port", pattern, &[example, "[::1]:8080"])
}

pub(super) fn root() -> Table {
    let region = "The label of this instance; rules can match it.";
    Table::new(
        "config",
        "At the top",
        "What is true of the whole instance.",
    )
    .keys([
        Key::new("region", Kind::text("label"), region).or("\"local\""),
        Key::new(
            "hook",
            Kind::Table(hook()),
            "The listener for Okta and vendors.",
        ),
        Key::new("admin", Kind::Table(admin()), "The listener for operators."),
        Key::new("org", Kind::Tables(org()), "Who may call."),
        Key::new(
            "journal",
            Kind::Table(journal()),
            "Where deliveries are kept.",
        ),
        Key::new("rules", Kind::Table(rules()), "Where the rules are."),
        Key::new(
            "vendors",
            Kind::named("NAME", Kind::Table(vendor())),
            "Accounts.",
        ),
    ])
    .example("\nregion = \"eu-west\"\n")
}

fn hook() -> Table {
    let about = "Where Okta calls, and where vendors report to.";
    let example = r#"
[hook]
listen = "0.0.0.0:8080"
public_url = "https://otp.example"
tls = { cert = "tls.crt", key = "tls.key" }
"#;
    let within = "From the request's first byte to the last of the answer. Okta gives up at 3 s and needs up to a second for the \
                  network.";
    let waiting = "So many calls of one org may wait for a vendor; above it they are answered as soon as they are on disk.";
    let when = [
        (
            "accepted",
            "When a vendor has taken the message, inside `answer_within`.",
        ),
        ("journaled", "As soon as it is on disk."),
    ];
    let url = Kind::form(
        "address without query",
        r"^https?://[^@#?\s]+$",
        &["https://otp.example"],
    );
    let url_about = "How vendors reach this listener; at most 44 characters, since some of them take 100 with what comes behind it. \
                     Without it no receipts come.";
    let pending = Kind::plain_words(["SUCCESSFUL", "PENDING"]);
    let grace = "How long vendor calls in flight may take at a shutdown.";
    Table::new("hook", "[hook]", about)
        .keys([
            Key::new(
                "listen",
                address("127.0.0.1:8080"),
                "Read once, at the start.",
            )
            .or("\"127.0.0.1:8080\""),
            Key::new("answer_within", Kind::duration(200, 2_900), within).or("\"1500ms\""),
            Key::new(
                "max_waiting",
                Kind::Whole {
                    least: 0,
                    most: 100_000,
                },
                waiting,
            )
            .or("50"),
            Key::new("answer_when", Kind::words(&when), "When Okta is answered.")
                .or("\"accepted\""),
            Key::new(
                "pending_as",
                pending,
                "What Okta hears while no vendor has accepted.",
            )
            .or("\"SUCCESSFUL\""),
            Key::new("public_url", url, url_about),
            Key::new("tls", Kind::Table(tls()), "Its certificate.")
                .or_else("no TLS: something in front must speak it"),
            Key::new("grace", Kind::duration(0, 3_600_000), grace).or("\"20s\""),
        ])
        .example(example)
}

fn tls() -> Table {
    let about = "A certificate, read again when it changes.";
    Table::new("tls", "`tls` of `[hook]`", about).keys([
        Key::new("cert", path(), "The chain, PEM.").required(),
        Key::new("key", path(), "The private key, PEM.").required(),
    ])
}

fn admin() -> Table {
    let about = "Metrics, health, console and the JSON API.";
    let example = r#"
[admin]
listen = "0.0.0.0:9090"
token = "env:TRUNKLINE_ADMIN_TOKEN"
"#;
    let token =
        "What callers send as `Authorization: Bearer`. Needed where `listen` is not loopback.";
    Table::new("admin", "[admin]", about)
        .keys([
            Key::new(
                "listen",
                address("127.0.0.1:9090"),
                "Read once, at the start.",
            )
            .or("\"127.0.0.1:9090\""),
            Key::new("token", secret(), token),
        ])
        .example(example)
}

fn org() -> Table {
    let about = "An Okta org that may call the hook. Without any, only callers on the same machine are heard.";
    let example = r#"
[[org]]
name = "acme"
display_name = "ACME"
host = ["acme.okta.com", "login.acme.example"]
default_country = "US"
auth = [                         # any one suffices: two for a while are a rotation
  { header = "Authorization", value = "env:OKTA_HOOK_SECRET" },
  { header = "Authorization", value = "file:secrets/okta-hook-next" },
]
"#;
    let failover = [
        ("enabled", "Okta sends a text of its own when a call fails."),
        (
            "disabled",
            "Okta support has switched that off: messages that nobody will take are answered `FAILED`.",
        ),
    ];
    let host = "Hosts in the `source` of its calls, custom domains too.";
    let auth = "How its calls prove themselves; any one suffices.";
    let auths = Kind::Any(vec![Kind::Table(header_auth()), Kind::Table(token_auth())]);
    let country = Kind::form("country code", "^[A-Za-z]{2}$", &["US"]);
    let country_about = "The country of numbers without `+`, which are denied without it.";
    Table::new("org", "[[org]]", about)
        .keys([
            Key::new(
                "name",
                Kind::text("name"),
                "Unique; rules, metrics and the journal use it.",
            )
            .required(),
            Key::new(
                "display_name",
                Kind::text("text"),
                "What templates say for `{org}`.",
            )
            .or_else("`name`"),
            Key::new("host", Kind::text("host").some_or_none(), host),
            Key::new(
                "okta_failover",
                Kind::words(&failover),
                "What Okta does when a call fails.",
            )
            .or("\"enabled\""),
            Key::new("default_country", country, country_about),
            Key::new("auth", auths.list(), auth).required(),
        ])
        .example(example)
}

fn header_auth() -> Table {
    let about = "A header that never changes.";
    let name = Kind::form(
        "name of a header",
        "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        &["Authorization"],
    );
    Table::new("header_auth", "`auth` by a header", about).keys([
        Key::new("header", name, "Its name.").required(),
        Key::new("value", secret(), "Its value.").required(),
    ])
}

fn token_auth() -> Table {
    let about = "A signed token (OAuth 2.0). Not yet in effect: such calls are refused.";
    Table::new("token_auth", "`auth` by a token", about).keys([
        Key::new("issuer", Kind::text("address"), "Who signs it.").required(),
        Key::new("audience", Kind::text("text"), "Whom it is for.").required(),
        Key::new(
            "jwks_url",
            Kind::text("address"),
            "Where the issuer's keys are.",
        )
        .required(),
    ])
}

fn journal() -> Table {
    let about = "Where deliveries are kept, before Okta is answered.";
    let example = r#"
[journal]
url = "sqlite:/var/lib/trunkline/trunkline.db"
key = "env:TRUNKLINE_JOURNAL_KEY"
"#;
    let url = Kind::form(
        "`sqlite:` and a path",
        "^sqlite:.+$",
        &["sqlite:data/trunkline.db"],
    );
    let key = "Seals passcodes and numbers. Back it up with the database: with another key the process does not start.";
    let keep = "How long closed deliveries stay.";
    Table::new("journal", "[journal]", about)
        .keys([
            Key::new("url", url, "Read once, at the start.").or("\"sqlite:data/trunkline.db\""),
            Key::new("key", secret(), key).or_else("a key file is made beside the database"),
            Key::new("keep", Kind::duration(3_600_000, 3_650 * DAY_MS), keep).or("\"30d\""),
        ])
        .example(example)
}

fn rules() -> Table {
    let about = "Two directories of `.toml` files; both are watched.";
    let example = r#"
[rules]
dir = "routing-rules"
"#;
    Table::new("rules", "[rules]", about)
        .keys([
            Key::new("dir", path(), "The routing rules.").or("\"routing-rules\""),
            Key::new("vendor_definitions", path(), "How vendors are spoken with.")
                .or("\"vendors\""),
        ])
        .example(example)
}

fn vendor() -> Table {
    let about =
        "An account at a vendor. Its name is what rules use; two accounts may share a definition.";
    let example = r#"
[vendors.north]
definition = "north"
base_url = "https://api.north.example"
credentials = { api_key = "env:NORTH_API_KEY" }
from = "+15005550006"
rate = "100/s"
data_region = "eu"
"#;
    let regional = "Which of the definition's regional addresses it uses.";
    let credentials = Kind::named("NAME", secret());
    let credentials_about = "What the definition lists under `[credentials]`.";
    let rate = Kind::count_per_time("count and time", &["100/s", "10/10m"]);
    let rate_about = "What is agreed with the vendor; at it, the next vendor is asked.";
    let quota = "The counter of the rules, `[quota.NAME]`, that its messages count in whose `[[sender]]` names no other.";
    let region = "Where this account's data is processed; a rule's `require` asks for it.";
    Table::new("vendor", "[vendors.NAME]", about)
        .keys([
            Key::new(
                "definition",
                Kind::text("name of a definition"),
                "A file's name without `.toml`.",
            )
            .or_else("the account's name"),
            Key::new("base_url", Kind::text("address"), "Where the vendor is.")
                .or_else("the definition's"),
            Key::new("credentials", credentials, credentials_about),
            Key::new(
                "from",
                Kind::text("sender"),
                "The sender where no `[[sender]]` fits.",
            ),
            Key::new("rate", rate, rate_about).or_else("no limit"),
            Key::new("data_region", Kind::text("region"), region),
            Key::new("region", Kind::text("region of the definition"), regional)
                .or_else("the vendor's usual address"),
            Key::new("quota", Kind::text("name of a quota"), quota)
                .or_else("only its senders' quotas"),
        ])
        .example(example)
}
