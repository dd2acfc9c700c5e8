//! `[objectives.NAME]`

use std::collections::BTreeMap;
use std::time::Duration;

use crate::grammar::sections::SUBJECTS;
use crate::mistakes::Mistake;
use crate::model::objective::{Limits, Objective, Percentile, Subject};
use crate::model::{Route, Service};
use crate::pattern;
use crate::reading::Written;
use crate::reading::section::Section;

/// `routes` are `None` when some of them could not be read.
pub(super) fn objectives(
    root: &Section<'_>,
    services: &BTreeMap<String, Service>,
    routes: Option<&[Route]>,
) -> BTreeMap<String, Objective> {
    let read = |(name, section): &(&str, Section<'_>)| {
        let on = subject(section, services, routes);
        let objective = Objective { on: on?, limits: limits(section), window: section.duration("window") };
        Some(((*name).to_owned(), objective))
    };
    // Every one is read, and with it every mistake found, though the first may have failed.
    root.named("objectives").iter().filter_map(read).collect()
}

/// `None` after a mistake.
fn subject(
    section: &Section<'_>,
    services: &BTreeMap<String, Service>,
    routes: Option<&[Route]>,
) -> Option<Subject> {
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let service =
        section.name_of("service", &names).map(|name| (Subject::Service(name.value().to_owned()), name));
    let route = section.text("route").and_then(|written| Some((requests(section, &written)?, written)));
    match SUBJECTS.map(|key| section.has(key)) {
        [true, true] => section.reading.note(
            Mistake::new(
                section.place("service"),
                "an objective is about one thing",
                "`service` beside `route`",
            )
            .see(section.place("route"), "the other one")
            .help("write one objective for each"),
        ),
        [false, false] => section.reading.note_absence(
            Mistake::new(section.at.clone(), "an objective is about nothing", "one of two is missing")
                .help("add `route = \"GET /api/items\"` or `service = \"api\"`"),
        ),
        [true, false] | [false, true] => {}
    }
    let (subject, written) = route.or(service)?;
    check_reached(section, &subject, &written, routes);
    Some(subject)
}

fn requests(section: &Section<'_>, written: &Written) -> Option<Subject> {
    match pattern::pattern(written.value()) {
        Ok((method, path)) => Some(Subject::Requests { method: method.map(str::to_owned), path }),
        Err(wrong) => {
            section.reading.note(
                Mistake::new(written.at.clone(), "`route` must be a path, perhaps with a method", wrong)
                    .help("for example `GET /api/items`, `/api/*` or `/img*`"),
            );
            None
        }
    }
}

/// An objective no request can be about would be kept for ever, and say nothing.
pub(super) fn check_reached(
    section: &Section<'_>,
    subject: &Subject,
    written: &Written,
    routes: Option<&[Route]>,
) {
    if routes.is_some_and(|routes| !routes.iter().any(|route| subject.may_take(route))) {
        section.reading.note_absence(
            Mistake::new(written.at.clone(), "no route leads such requests anywhere", "never counted")
                .help("objectives and alerts are about what comes in through `[[routes]]`"),
        );
    }
}

fn limits(section: &Section<'_>) -> Limits {
    let latency: Vec<(Percentile, Duration)> = Percentile::ALL
        .into_iter()
        .filter(|percentile| section.has(percentile.key()))
        .map(|percentile| (percentile, section.duration(percentile.key())))
        .collect();
    for pair in latency.windows(2) {
        let [(low, low_limit), (high, high_limit)] = pair else { continue };
        if high_limit < low_limit {
            section.reading.note(
                Mistake::new(
                    section.place(high.key()),
                    "a higher percentile with a lower limit",
                    "never the one that is broken",
                )
                .see(section.place(low.key()), format!("`{}` allows more", low.key()))
                .help(format!("remove `{}`, or raise `{}`", low.key(), high.key())),
            );
        }
    }
    let limits =
        Limits { latency, errors: section.ratio("errors"), availability: section.ratio("availability") };
    let any = Percentile::ALL.map(Percentile::key).into_iter().chain(["errors", "availability"]);
    if !any.into_iter().any(|key| section.has(key)) {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "an objective without a limit", "promises nothing").help(
                "add one, for example `p95 = \"300ms\"`, `errors = \"0.5%\"` or `availability = \"99.5%\"`",
            ),
        );
    }
    limits
}
