//! `[schedules.NAME]`, `[topics.NAME]`, `[subscriptions.NAME]`

use std::collections::BTreeMap;

use super::queue;
use crate::cron::{BadCron, Cron};
use crate::mistakes::Mistake;
use crate::model::Service;
use crate::model::queue::Queue;
use crate::model::schedule::{Missed, Schedule};
use crate::model::topic::{Outbox, Pattern, Subscription, Topic};
use crate::reading::section::Section;

pub(super) fn schedules(
    root: &Section<'_>,
    services: &BTreeMap<String, Service>,
    queues: &BTreeMap<String, Queue>,
) -> BTreeMap<String, Schedule> {
    let read = |(name, section): &(&str, Section<'_>)| {
        Some(((*name).to_owned(), schedule(section, services, queues)?))
    };
    root.named("schedules").iter().filter_map(read).collect()
}

/// `None` after a mistake. Everything is read before anything is given up.
fn schedule(
    section: &Section<'_>,
    services: &BTreeMap<String, Service>,
    queues: &BTreeMap<String, Queue>,
) -> Option<Schedule> {
    let cron = cron(section);
    let missed = missed(section);
    let names: Vec<&str> = queues.keys().map(String::as_str).collect();
    let queue = section.name_of("queue", &names);
    let target = queue::target_of(section, services);
    let of_queue = queues.get(queue.as_ref()?.value()).and_then(|queue| queue.target.as_ref());
    match (of_queue, section.has("target")) {
        (None, false) => section.reading.note_absence(
            Mistake::new(
                section.at.clone(),
                "the tasks of a schedule lead nowhere",
                "no target, and none in its queue",
            )
            .help("add `target = { service = \"…\", path = \"/…\" }` here or in the queue"),
        ),
        (Some(_), true) => section.reading.note(
            Mistake::new(
                section.place("target"),
                "the queue has a target, and so all its tasks go there",
                "never used",
            )
            .help("remove this one, or let the schedule have a queue of its own"),
        ),
        (Some(_), false) | (None, true) => {}
    }
    Some(Schedule { cron: cron?, queue: queue?.value().to_owned(), target, missed })
}

fn cron(section: &Section<'_>) -> Option<Cron> {
    let zone = section.text("timezone");
    let written = section.text("cron")?;
    match Cron::parse(written.value(), zone.as_ref().map_or("UTC", |zone| zone.value())) {
        Ok(cron) => Some(cron),
        Err(BadCron::Zone) => {
            let at = zone.map_or(written.at, |zone| zone.at);
            section.reading.note(
                Mistake::new(at, "`timezone` must be a time zone's name", "there is none of this name")
                    .help("for example `timezone = \"America/Sao_Paulo\"`"),
            );
            None
        }
        Err(wrong @ (BadCron::Expression(_) | BadCron::Every | BadCron::Never)) => {
            // What the environment gave is not quoted.
            let why = match (&wrong, written.shown()) {
                (BadCron::Expression(_), None) => "this is none".to_owned(),
                _ => wrong.to_string(),
            };
            section.reading.note(
                Mistake::new(written.at, "`cron` must be a cron expression or `@every`", why).help(
                    "for example `cron = \"0 6 1 * *\"` (on the 1st at 6:00) or `cron = \"@every 15m\"`",
                ),
            );
            None
        }
    }
}

fn missed(section: &Section<'_>) -> Missed {
    let Some(written) = section.text("missed") else { return Missed::default() };
    match written.value() {
        "skip" => Missed::Skip,
        "once" => Missed::Once,
        "all" => Missed::All,
        _ => {
            section.reading.note(
                Mistake::new(written.at, "`missed` must be `skip`, `once` or `all`", "none of them")
                    .help("what becomes of ticks while nothing ran: lost, the last one made up for, or all"),
            );
            Missed::default()
        }
    }
}

/// `databases` are the names declared.
pub(super) fn topics(root: &Section<'_>, databases: &[&str]) -> BTreeMap<String, Topic> {
    let topic = |section: &Section<'_>| Topic {
        outbox: section.has("outbox").then(|| outbox(&section.table("outbox"), databases)).flatten(),
        fair: section.text("fair").map(|fair| fair.value().to_owned()),
    };
    root.named("topics").iter().map(|(name, section)| ((*name).to_owned(), topic(section))).collect()
}

fn outbox(section: &Section<'_>, databases: &[&str]) -> Option<Outbox> {
    let database = section.name_of("database", databases);
    let table = section.text("table").and_then(|written| {
        let plain = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !part.starts_with(|first: char| first.is_ascii_digit())
        };
        if written.value().split('.').count() <= 2 && written.value().split('.').all(plain) {
            return Some(written.value().to_owned());
        }
        section.reading.note(
            Mistake::new(written.at, "`table` must be a table's name", "not plain letters, digits and `_`")
                .help("for example `table = \"outbox\"` or `table = \"app.outbox\"`"),
        );
        None
    });
    Some(Outbox { database: database?.value().to_owned(), table: table? })
}

pub(super) fn subscriptions(
    root: &Section<'_>,
    services: &BTreeMap<String, Service>,
    topics: &BTreeMap<String, Topic>,
) -> BTreeMap<String, Subscription> {
    let names: Vec<&str> = topics.keys().map(String::as_str).collect();
    let read = |(name, section): &(&str, Section<'_>)| {
        let topic = section.name_of("topic", &names);
        // Notes its absence.
        section.value("target");
        let only = section.texts("only").iter().map(|written| Pattern::new(written.value())).collect();
        let queue = queue::queue(section, services);
        Some(((*name).to_owned(), Subscription { topic: topic?.value().to_owned(), only, queue }))
    };
    root.named("subscriptions").iter().filter_map(read).collect()
}
