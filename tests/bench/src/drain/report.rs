//! docs/evidence/drain.md.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::{Database, Results, Sample};
use crate::stats::Summary;

pub(super) fn write(results: &Results) -> Result<()> {
    if let Some(path) = &results.options.json {
        let text = serde_json::to_string_pretty(results)?;
        std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    let path = &results.options.report;
    std::fs::write(path, markdown(results)).with_context(|| format!("failed to write {}", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}

fn markdown(results: &Results) -> String {
    let (machine, options) = (&results.machine, &results.options);
    let mut text = format!(
        "# A backlog through valoriza\n\nWritten by `make bench-drain` (tests/bench/src/drain.rs); do not edit.\n\n\
         {} transactions without a category and their events are in valoriza's database, and nothing runs. Then \
         `mare up` starts the manifest that ships. The relay makes tasks of the events, the tasks start the worker, and \
         the worker finds each transaction's category among what its user decided before ({} transactions each), looks \
         at the user's automations, stores a vector, and looks whether a budget is spent.\n\n",
        options.waiting, options.known
    );
    text.push_str(
        "| database | users | first pushed | all relayed | last categorised | per second | no task left | instances | \
         pushes | platform CPU each | worker and database CPU each | categorised, in review |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for database in &options.databases {
        for users in &options.users {
            let of: Vec<&Sample> =
                results.samples.iter().filter(|it| (it.database, it.users) == (*database, *users)).collect();
            row(&mut text, *database, *users, &of);
        }
    }
    let _ = writeln!(
        text,
        "\nMedians, {} run(s) each, in seconds since the start of `mare up`; CPU is per transaction. In no run was a \
         transaction lost, and none of the {} had an effect twice: each was looked at once, each budget told once of \
         each mark. The benchmark ends with an error otherwise.\n\n## Conditions\n\n- {}, commit {}\n\
         - {} cores, {}, {:.1} GiB, Linux {}",
        options.rounds,
        options.waiting,
        machine.date,
        machine.commit,
        machine.cores,
        machine.cpu,
        machine.memory_gib,
        machine.kernel
    );
    for (name, version) in &machine.versions {
        let _ = writeln!(text, "- {name}: {version}");
    }
    text.push_str(HOW_TO);
    text
}

fn row(text: &mut String, database: Database, users: u32, of: &[&Sample]) {
    let median = |value: &dyn Fn(&Sample) -> f64| {
        Summary::of(of.iter().map(|sample| value(sample))).map_or(f64::NAN, |it| it.median)
    };
    let each = |cpu_s: f64, sample: &Sample| cpu_s * 1e6 / sample.effects.handled as f64;
    let name = match database {
        Database::Sqlite => "SQLite",
        Database::Postgres => "PostgreSQL",
    };
    let _ = writeln!(
        text,
        "| {name} | {users} | {:.1} s | {:.1} s | **{:.1} s** | {:.0} | {:.1} s | {:.0} | {:.0} | {:.0} µs | {:.0} µs | \
         {:.0}, {:.0} |",
        median(&|it| it.handled_first_s),
        median(&|it| it.relayed_last_s),
        median(&|it| it.categorised_last_s),
        median(&|it| it.effects.handled as f64 / it.categorised_last_s),
        median(&|it| it.idle_s),
        median(&|it| it.instances_max as f64),
        median(&|it| it.pushes as f64),
        median(&|it| each(it.mare_cpu_s, it)),
        median(&|it| each(it.rest_cpu_s, it)),
        median(&|it| it.effects.categorised as f64),
        median(&|it| it.effects.in_review as f64),
    );
}

const HOW_TO: &str = "
## How it is measured

- `first pushed` is when the first event was handled, `all relayed` when the last event of a transaction was on the
  platform's disk, `last categorised` when the last transaction was claimed. The times are those that the relay and the
  worker wrote into valoriza's database. `no task left` counts the events about budgets too.
- Every effect is on disk before its push is answered (SQLite with `synchronous = FULL`, PostgreSQL with its defaults),
  and every task before its event is marked.
- The platform's own tasks are in its SQLite file in either case.
";
