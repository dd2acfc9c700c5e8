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

/// `routes` are `None` when some of them could not be read; `queues` are the names of all, of subscriptions too.
pub(super) fn objectives(
    root: &Section<'_>,
    services: &BTreeMap<String, Service>,
    queues: &[&str],
    routes: Option<&[Route]>,
) -> BTreeMap<String, Objective> {
    let read = |(name, section): &(&str, Section<'_>)| {
        let on = subject(section, services, queues, routes);
        let objective = Objective { on: on?, limits: limits(section), window: section.duration("window") };
        if let Subject::Backlog(_) = objective.on {
            check_backlog(section);
        }
        Some(((*name).to_owned(), objective))
    };
    // Every one is read, and with it every mistake found, though the first may have failed.
    root.named("objectives").iter().filter_map(read).collect()
}

/// `None` after a mistake.
fn subject(
    section: &Section<'_>,
    services: &BTreeMap<String, Service>,
    queues: &[&str],
    routes: Option<&[Route]>,
) -> Option<Subject> {
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let read = |key: &str, known: &[&str], of: fn(String) -> Subject| {
        section.name_of(key, known).map(|name| (of(name.value().to_owned()), name))
    };
    let service = read("service", &names, Subject::Service);
    let queue = read("queue", queues, Subject::Queue);
    let backlog = read("backlog", queues, Subject::Backlog);
    let route = section.text("route").and_then(|written| Some((requests(section, &written)?, written)));
    let given: Vec<&str> = SUBJECTS.into_iter().filter(|key| section.has(key)).collect();
    match given.as_slice() {
        [] => section.reading.note_absence(
            Mistake::new(section.at.clone(), "an objective is about nothing", "one of four is missing").help(
                "add `route = \"GET /api/items\"`, `service = \"api\"`, `queue = \"…\"` or `backlog = \"…\"`",
            ),
        ),
        [_] => {}
        [first, second, ..] => section.reading.note(
            Mistake::new(
                section.place(second),
                "an objective is about one thing",
                format!("`{second}` beside `{first}`"),
            )
            .see(section.place(first), "the other one")
            .help("write one objective for each"),
        ),
    }
    let (subject, written) = route.or(service).or(queue).or(backlog)?;
    match subject {
        Subject::Requests { .. } | Subject::Service(_) => check_reached(section, &subject, &written, routes),
        Subject::Queue(_) | Subject::Backlog(_) => {}
    }
    Some(subject)
}

/// What is looked at is an age: it cannot fail.
fn check_backlog(section: &Section<'_>) {
    for key in ["errors", "availability"] {
        if section.has(key) {
            section.reading.note(
                Mistake::new(section.place(key), "a backlog cannot fail", "never counted").help(
                    "promise its age, for example `p99 = \"60s\"`; that tasks fail is of `queue = \"…\"`",
                ),
            );
        }
    }
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
