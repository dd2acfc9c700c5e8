//! `cors = { … }`

use crate::address;
use crate::mistakes::Mistake;
use crate::model::guard::{Cors, Origins};
use crate::pattern;
use crate::reading::Written;
use crate::reading::section::Section;

const ANY: &str = "*";

/// `None` after a mistake.
pub(super) fn cors(section: &Section<'_>) -> Option<Cors> {
    let origins = origins(section);
    let cors = Cors {
        methods: names(section, "methods").iter().map(|name| name.to_ascii_uppercase()).collect(),
        headers: names(section, "headers"),
        expose: names(section, "expose"),
        credentials: section.flag("credentials"),
        max_age: section.duration("max_age"),
        origins: origins?,
    };
    if cors.credentials && cors.origins == Origins::Any {
        section.reading.note(
            Mistake::new(section.place("credentials"), "credentials for all origins", "no browser allows it")
                .see(section.place("origins"), "all")
                .help("list the origins whose pages may act for their users, or remove `credentials`"),
        );
    }
    Some(cors)
}

/// `None` if there is no origin, which was noted.
fn origins(section: &Section<'_>) -> Option<Origins> {
    let written = section.texts("origins");
    if let Some(any) = written.iter().find(|origin| origin.value() == ANY) {
        if written.len() > 1 {
            section.reading.note(
                Mistake::new(any.at.clone(), "`*` is all origins", "beside others it says too much")
                    .help("write `[\"*\"]`, or only the others"),
            );
        }
        return Some(Origins::Any);
    }
    let read = |origin: &Written| match address::web_origin(origin.value()) {
        Ok(origin) => Some(origin),
        Err(wrong) => {
            section
                .reading
                .note(Mistake::new(origin.at.clone(), "each of `origins` must be an origin", wrong).help(
                "for example `https://app.example.com`, `https://*.example.com` or `http://localhost:5173`",
            ));
            None
        }
    };
    let origins: Vec<String> = written.iter().filter_map(read).collect();
    (!origins.is_empty()).then_some(Origins::Listed(origins))
}

/// The names of methods or headers in a list, in lower case.
fn names(section: &Section<'_>, name: &str) -> Vec<String> {
    let read = |written: &Written| {
        if written.value() != ANY && pattern::is_token(written.value()) {
            return Some(written.value().to_ascii_lowercase());
        }
        let (wrong, help) = match (written.value(), name) {
            (ANY, "expose") => ("browsers want them one by one", "list those that pages read"),
            (ANY, _) => ("all is the default", "leave the list out: what a page asks for is allowed"),
            _ => ("not one name", "one name in each string, without spaces, commas and colons"),
        };
        let title = format!("each of `{name}` must be a name");
        section.reading.note(Mistake::new(written.at.clone(), title, wrong).help(help));
        None
    };
    section.texts(name).iter().filter_map(read).collect()
}
