//! The guards of a route, and `[defaults]`.

mod cors;

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::queue;
use crate::defaults;
use crate::mistakes::Mistake;
use crate::model::guard::{
    Cors, Credentials, Guards, Limit, Network, Networks, Per, Require, Security, Sticky,
};
use crate::network::{BadNetwork, network};
use crate::pattern;
use crate::reading::section::Section;
use crate::reading::{Port, Written};
use crate::suggest::did_you_mean;

/// What the file has to check credentials with.
pub(super) struct Known {
    pub tokens: bool,
    pub keys: bool,
}

/// What one section says of guards; `None`: nothing.
pub(super) struct Said<'a> {
    section: &'a Section<'a>,
    auth: Option<Credentials>,
    require: Option<Require>,
    limit: Option<Limit>,
    /// Where the limit says whose it is.
    per: Range<usize>,
    cors: Option<Cors>,
    hosts: Option<Vec<String>>,
    networks: Option<Networks>,
    security: Option<Security>,
}

/// Reads what routes and `[defaults]` have in common.
pub(super) fn said<'a>(section: &'a Section<'a>, known: &Known) -> Said<'a> {
    let limited = section.table("limit");
    let table = |name: &str| section.has(name).then(|| section.table(name));
    Said {
        section,
        auth: credentials(section, known),
        require: table("require").map(|section| require(&section)),
        limit: section.has("limit").then(|| limit(&limited)).flatten(),
        per: limited.place("per"),
        cors: table("cors").and_then(|section| cors::cors(&section)),
        hosts: section.has("hosts").then(|| hosts(section)),
        networks: table("networks")
            .map(|section| Networks { allow: networks(&section, "allow"), deny: networks(&section, "deny") }),
        security: table("security").map(|section| security(&section)),
    }
}

impl Said<'_> {
    /// The guards of a route that says this, where `[defaults]` say what it does not.
    pub(super) fn over(&self, defaults: &Said<'_>) -> Guards {
        let auth = self.auth.or(defaults.auth).unwrap_or_default();
        // Who writes `auth = "none"` at a route does not mean a route that refuses everybody.
        let opened = self.auth == Some(Credentials::None);
        let require = self.require.clone().or(defaults.require.clone().filter(|_| !opened));
        let limit = self.limit.clone().or(defaults.limit.clone());
        let guards = Guards {
            auth,
            require: require.unwrap_or_default(),
            limit: limit.filter(|limit| limit.rate.is_finite()),
            cors: self.cors.clone().or(defaults.cors.clone()),
            hosts: self.hosts.clone().or(defaults.hosts.clone()).unwrap_or_default(),
            networks: self.networks.clone().or(defaults.networks.clone()).unwrap_or_default(),
            security: self.security.clone().or(defaults.security.clone()),
            sticky: None,
        };
        // What is inherited is the fault of `[defaults]` only where its `auth` is inherited too.
        match (&self.require, self.auth) {
            (None, None) => defaults.check_require(&guards, "require"),
            (None, Some(_)) => self.check_require(&guards, "auth"),
            (Some(_), _) => self.check_require(&guards, "require"),
        }
        match (&self.limit, self.auth) {
            (None, None) => defaults.check_limit(&guards),
            // Where no user is known, a limit for each user is one for each address.
            (None, Some(_)) => {}
            (Some(_), _) => self.check_limit(&guards),
        }
        guards
    }

    /// `key` is the one to point at.
    fn check_require(&self, guards: &Guards, key: &str) {
        if guards.require == Require::default() {
            return;
        }
        let mistake = match guards.auth {
            Credentials::None => Mistake::new(self.section.place(key), "`require` without `auth`", "of whom")
                .help("add `auth = \"jwt\"`, `\"key\"` or `\"any\"`, or take `require = {}`"),
            Credentials::ApiKey if !guards.require.claims.is_empty() => Mistake::new(
                self.section.place(key),
                "`claims` of an API key",
                "it has scopes and roles, but no claims",
            )
            .help("remove `claims`, or let `auth` be `\"jwt\"`"),
            Credentials::ApiKey | Credentials::Jwt | Credentials::Any => return,
        };
        self.section.reading.note(mistake);
    }

    fn check_limit(&self, guards: &Guards) {
        let (title, label, help) = match (guards.limit.as_ref().map(|limit| &limit.per), guards.auth) {
            (Some(Per::User), Credentials::None) => (
                "a limit for each user, and no `auth`",
                "no user is known",
                "add `auth = \"jwt\"`, or let it be `per = \"ip\"`",
            ),
            (Some(Per::ApiKey), Credentials::None | Credentials::Jwt) => (
                "a limit for each API key, and none is asked for",
                "no key is known",
                "add `auth = \"key\"` or `\"any\"`, or let it be `per = \"ip\"`",
            ),
            (None | Some(Per::Ip | Per::User | Per::ApiKey | Per::Route | Per::Header(_)), _) => return,
        };
        self.section.reading.note(Mistake::new(self.per.clone(), title, label).help(help));
    }
}

fn credentials(section: &Section<'_>, known: &Known) -> Option<Credentials> {
    let written = section.text("auth")?;
    let credentials = match written.value() {
        "jwt" => Credentials::Jwt,
        "key" => Credentials::ApiKey,
        "any" => Credentials::Any,
        _ => Credentials::None,
    };
    let without = |what: &str, label: &str, help: &str| {
        let title = format!("`auth` takes {what}");
        section.reading.note_absence(Mistake::new(written.at.clone(), title, label).help(help));
    };
    if matches!(credentials, Credentials::Jwt | Credentials::Any) && !known.tokens {
        without(
            "tokens, and there is no `[auth]`",
            "whose tokens",
            "say whose: `[auth]` with `jwks = { url = \"https://…\" }` or `[[auth.keys]]`",
        );
    }
    if matches!(credentials, Credentials::ApiKey | Credentials::Any) && !known.keys {
        without(
            "API keys, and there is no `[api_keys.NAME]`",
            "whose keys",
            "`mare key` makes a key and the lines to put here",
        );
    }
    Some(credentials)
}

fn require(section: &Section<'_>) -> Require {
    Require { scopes: values(section, "scopes"), roles: values(section, "roles"), claims: claims(section) }
}

pub(super) fn values(section: &Section<'_>, name: &str) -> Vec<String> {
    section.texts(name).iter().map(|written| written.value().to_owned()).collect()
}

fn claims(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut claims = BTreeMap::new();
    for (name, value) in section.entries("claims") {
        let DeValue::String(raw) = value.get_ref() else {
            let title = format!("`{}` must be a string", name.get_ref());
            section.reading.note(
                Mistake::new(value.span(), title, "claims are compared as text").help("put it into quotes"),
            );
            continue;
        };
        if let Some(written) = section.reading.interpolate(raw, value.span(), Port::Refused) {
            claims.insert(name.get_ref().to_string(), written.value().to_owned());
        }
    }
    claims
}

/// Infinitely many requests for `"unlimited"`. `None` after a mistake.
fn limit(section: &Section<'_>) -> Option<Limit> {
    let rate = queue::rate(section, "to refuse all requests, remove the route");
    let burst = section.count_if("burst");
    let per = per(section);
    let rate = rate?;
    Some(Limit { rate, burst: burst.unwrap_or_else(|| defaults::limit_burst(rate)), per })
}

fn per(section: &Section<'_>) -> Per {
    const WORDS: [&str; 4] = ["ip", "user", "key", "route"];
    let Some(written) = section.text("per") else { return Per::Ip };
    let header = written.value().strip_prefix("header:");
    match written.value() {
        "ip" => return Per::Ip,
        "user" => return Per::User,
        "key" => return Per::ApiKey,
        "route" => return Per::Route,
        _ => {}
    }
    match header {
        Some(name) if pattern::is_token(name) => return Per::Header(name.to_ascii_lowercase()),
        Some(_) | None => {}
    }
    let wrong = if header.is_some() { "behind `header:` is no header's name" } else { "none of them" };
    let meant = written.shown().and_then(|shown| did_you_mean(shown, WORDS));
    let title = "`per` must be `ip`, `user`, `key`, `route` or `header:NAME`";
    section.reading.note(
        Mistake::new(written.at, title, wrong)
            .help("for example `per = \"user\"` or `per = \"header:x-tenant\"`")
            .maybe_help(meant),
    );
    Per::Ip
}

fn hosts(section: &Section<'_>) -> Vec<String> {
    let read = |written: &Written| match pattern::host(written.value()) {
        Ok(host) => Some(host),
        Err(wrong) => {
            section.reading.note(
                Mistake::new(written.at.clone(), "each of `hosts` must be a host name", wrong)
                    .help("for example `hosts = [\"shop.example.com\", \"*.shop.example.com\"]`"),
            );
            None
        }
    };
    section.texts("hosts").iter().filter_map(read).collect()
}

/// The networks in a list.
pub(super) fn networks(section: &Section<'_>, name: &str) -> Vec<Network> {
    let read = |written: &Written| {
        let wrong = match network(written.value()) {
            Ok(network) => return Some(network),
            Err(wrong) => wrong,
        };
        let (label, help) = match wrong {
            BadNetwork::Address => ("neither an address nor ADDRESS/BITS", None),
            BadNetwork::Bits(32) => ("its prefix is not a number from 0 to 32", None),
            BadNetwork::Bits(_) => ("its prefix is not a number from 0 to 128", None),
            BadNetwork::Wide(meant) => {
                ("an address with a prefix shorter than itself", Some(format!("the network is `{meant}`")))
            }
            BadNetwork::Mapped(v4) => {
                ("no client has an address like this", Some(format!("its IPv4 address is `{v4}`")))
            }
        };
        let title = format!("each of `{name}` must be a network");
        section.reading.note(
            Mistake::new(written.at.clone(), title, label)
                .help("for example `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`")
                .maybe_help(help.filter(|_| written.shown().is_some())),
        );
        None
    };
    section.texts(name).iter().filter_map(read).collect()
}

fn security(section: &Section<'_>) -> Security {
    let word = |name: &str, default: &str| {
        let written = section.text(name).map(|written| written.value().to_owned());
        if section.has(name) { written } else { Some(default.to_owned()) }
    };
    Security {
        hsts: section.duration_if("hsts"),
        frame: word("frame", defaults::FRAME),
        referrer: word("referrer", defaults::REFERRER),
        content: header_value(section, "content"),
        permissions: header_value(section, "permissions"),
    }
}

fn header_value(section: &Section<'_>, name: &str) -> Option<String> {
    let written = section.text(name)?;
    if written.value().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Some(written.value().to_owned());
    }
    let title = format!("`{name}` must fit into a header");
    section.reading.note(
        Mistake::new(written.at, title, "a line break or a letter outside of ASCII")
            .help("write it in one line; a TOML string goes on behind `\\` at the end of a line"),
    );
    None
}

/// `sticky = { … }` of a route that leads to a service.
pub(super) fn sticky(section: &Section<'_>) -> Option<Sticky> {
    if !section.has("sticky") {
        return None;
    }
    let table = section.table("sticky");
    let cookie = table.text("cookie").map_or(defaults::STICKY_COOKIE.to_owned(), |name| {
        if !pattern::is_token(name.value()) {
            let title = "`cookie` must be a cookie's name";
            table.reading.note(
                Mistake::new(name.at.clone(), title, "only letters, digits and some signs stand in one")
                    .help("for example `cookie = \"mare_instance\"`"),
            );
        }
        name.value().to_owned()
    });
    let ttl = table.duration_if("ttl");
    if !section.has("service") {
        section.reading.note(
            Mistake::new(section.place("sticky"), "`sticky` without `service`", "no instances to stay with")
                .help("only a service has instances; remove it"),
        );
    }
    Some(Sticky { cookie, ttl })
}
