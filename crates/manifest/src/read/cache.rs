//! `[cache]`, and `cache = { … }` of a route.

use crate::mistakes::Mistake;
use crate::model::guard::{Cache, Caching, Credentials, Query};
use crate::reading::Written;
use crate::reading::section::Section;
use crate::units;

pub(super) fn cache(section: &Section<'_>) -> Cache {
    Cache {
        memory: section.size("memory").unwrap_or_default(),
        redis_timeout: section.duration("redis_timeout"),
    }
}

/// What a route's caching is judged by.
pub(super) struct Around<'a> {
    pub cache: &'a Cache,
    pub auth: Credentials,
    pub method: Option<&'static str>,
}

/// `None` if the route says nothing of it.
pub(super) fn caching(section: &Section<'_>, around: &Around<'_>) -> Option<Caching> {
    if !section.has("cache") {
        return None;
    }
    check_route(section, around.method);
    let section = section.table("cache");
    let per_user = section.text("per").is_some_and(|per| per.value() == "user");
    if per_user && around.auth == Credentials::None {
        section.reading.note(
            Mistake::new(section.place("per"), "a cache for each user, and no `auth`", "no user is known")
                .help("add `auth = \"jwt\"`, or let all share the answers: `per = \"all\"`"),
        );
    }
    let size = section.size("size").unwrap_or_default();
    if size > around.cache.memory {
        let label = format!("the whole cache has {}", units::size_text(around.cache.memory));
        section.reading.note(
            Mistake::new(section.place("size"), "no answer of this size fits into the cache", label)
                .help("lower it, or raise `memory` in `[cache]`"),
        );
    }
    Some(Caching {
        ttl: section.duration_if("ttl"),
        per_user,
        query: query(&section),
        size,
        heuristic: section.flag("heuristic"),
    })
}

fn check_route(section: &Section<'_>, method: Option<&str>) {
    let place = section.place("cache");
    if section.has("files") {
        section.reading.note(
            Mistake::new(place, "`cache` of files", "they are near already")
                .help("remove it: files are answered with ETags, and browsers keep them"),
        );
    } else if method.is_some_and(|method| !matches!(method, "GET" | "HEAD")) {
        section.reading.note(
            Mistake::new(place, "`cache` of a method that changes things", "never used")
                .see(section.place("match"), "only GET and HEAD are kept")
                .help("remove it; answers to changes drop what they outdate all the same"),
        );
    }
}

fn query(section: &Section<'_>) -> Query {
    let only = names(section, "only");
    let ignore = names(section, "ignore");
    if section.has("only") && section.has("ignore") {
        section.reading.note(
            Mistake::new(section.place("ignore"), "`ignore` beside `only`", "the others are ignored already")
                .see(section.place("only"), "only these count")
                .help("keep one of the two"),
        );
    }
    match (section.has("only"), section.has("ignore")) {
        (true, _) => Query::Only(only),
        (false, true) => Query::Ignore(ignore),
        (false, false) => Query::All,
    }
}

/// Names of parameters.
fn names(section: &Section<'_>, list: &str) -> Vec<String> {
    let read = |written: &Written| {
        let name = written.value();
        let (wrong, help) = if name.contains(['=', '&', '?', '#']) {
            (
                "a name only, neither `=` nor `&`",
                "for example `page`: values tell answers apart by themselves",
            )
        } else if list == "only" && name.contains('*') {
            ("a `*` stands in `ignore` only", "name each parameter that counts")
        } else if name.strip_suffix('*').unwrap_or(name).contains('*') {
            ("a `*` may only be its last character", "for example `utm_*`")
        } else {
            return Some(name.to_owned());
        };
        let title = format!("each of `{list}` must be a parameter's name");
        section.reading.note(Mistake::new(written.at.clone(), title, wrong).help(help));
        None
    };
    section.texts(list).iter().filter_map(read).collect()
}
