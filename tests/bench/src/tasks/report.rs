//! docs/benchmarks-tasks.md.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::subjects::Subject;
use super::{CONCURRENCY, CREATORS, Creating, Results, Sample};
use crate::stats::Summary;

/// Against the best peer that is as durable, in the same round.
const FLOOR: f64 = 2.0;
const STRETCH: f64 = 3.0;

pub(super) fn write(results: &Results) -> Result<()> {
    if let Some(path) = &results.options.json {
        let text = serde_json::to_string_pretty(results)?;
        std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    let path = &results.options.report;
    std::fs::write(path, markdown(results)).with_context(|| format!("failed to write {}", path.display()))?;
    for verdict in verdicts(&results.samples) {
        println!("{verdict}");
    }
    println!("written: {}", path.display());
    Ok(())
}

fn markdown(results: &Results) -> String {
    let mut text = String::from(
        "# Benchmarks of tasks\n\nWritten by `make bench-tasks` (tests/bench/src/tasks.rs); do not edit.\n\n## Verdicts\n\n",
    );
    for verdict in verdicts(&results.samples) {
        let _ = writeln!(text, "- {verdict}");
    }
    let (machine, options) = (&results.machine, &results.options);
    let _ = writeln!(text, "\n## Conditions\n\n- {}, commit {}", machine.date, machine.commit);
    let _ = writeln!(
        text,
        "- {} cores, {}, {:.1} GiB, Linux {}",
        machine.cores, machine.cpu, machine.memory_gib, machine.kernel
    );
    for (name, version) in &machine.versions {
        let _ = writeln!(text, "- {name}: {version}");
    }
    let _ = writeln!(
        text,
        "- {} rounds of {} tasks, interleaved, every other round backwards; {CREATORS} creations and \
         {CONCURRENCY} attempts at once; each run has an empty store of its own on the same disk",
        options.rounds, options.tasks
    );
    if options.from_zero {
        text.push_str("- Maré's service is started by the first task\n");
    }
    for creating in Creating::ALL {
        table(&mut text, &results.samples, creating);
    }
    text.push_str(HOW_TO);
    text
}

fn table(text: &mut String, samples: &[Sample], creating: Creating) {
    let title = match creating {
        Creating::Single => "One task per creation",
        Creating::Batched => "A hundred tasks per creation",
    };
    let _ = writeln!(text, "\n## {title}\n");
    text.push_str(
        "| | done per second | created per second | CPU each | against the best durable peer | repeated |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    for subject in Subject::ALL {
        let of: Vec<&Sample> =
            samples.iter().filter(|it| (it.subject, it.creating) == (subject, creating)).collect();
        let Some(rate) = Summary::of(of.iter().map(|sample| sample.per_second())) else { continue };
        let created = Summary::of(of.iter().map(|sample| f64::from(sample.tasks) / sample.created_s));
        let cpu = Summary::of(of.iter().map(|sample| sample.cpu_s * 1e6 / f64::from(sample.tasks)));
        let against = Summary::of(against_best(&PEERS, samples, subject, creating));
        let repeated: u64 = of.iter().map(|sample| sample.repeated).sum();
        let _ = writeln!(
            text,
            "| {} | {:.0} ({:.0}-{:.0}) | {:.0} | {:.0} µs | {} | {repeated} |",
            subject.label(),
            rate.median,
            rate.min,
            rate.max,
            created.map_or(0.0, |it| it.median),
            cpu.map_or(0.0, |it| it.median),
            against.map_or("-".to_owned(), |it| format!("{:.2} ({:.2}-{:.2})", it.median, it.min, it.max)),
        );
    }
}

/// Those who are as durable.
const PEERS: [Subject; 2] = [Subject::BullmqAlways, Subject::Graphile];

/// Tasks done per second by `subject` divided by the best of `peers`, for every round that has both.
fn against_best(peers: &[Subject], samples: &[Sample], subject: Subject, creating: Creating) -> Vec<f64> {
    let of = |wanted: Subject, round| {
        let same = move |it: &&Sample| (it.subject, it.creating, it.round) == (wanted, creating, round);
        samples.iter().find(same).map(Sample::per_second)
    };
    let rounds = samples.iter().map(|sample| sample.round + 1).max().unwrap_or(0);
    let ratio = |round| {
        let best = peers.iter().filter_map(|peer| of(*peer, round)).max_by(f64::total_cmp)?;
        Some(of(subject, round)? / best)
    };
    (0..rounds).filter_map(ratio).collect()
}

fn verdicts(samples: &[Sample]) -> Vec<String> {
    let mut verdicts = Vec::new();
    for subject in Subject::ALL.into_iter().take(3) {
        for creating in Creating::ALL {
            let Some(ratio) = Summary::of(against_best(&PEERS, samples, subject, creating)) else { continue };
            let verdict = match ratio.median {
                it if it >= STRETCH => "meets the stretch",
                it if it >= FLOOR => "holds the floor",
                _ => "**misses the floor**",
            };
            verdicts.push(format!(
                "{}, {creating:?}: {:.2} of the best durable peer's tasks per second (median of rounds; floor \
                 {FLOOR}, stretch {STRETCH}): {verdict}",
                subject.label(),
                ratio.median
            ));
            let same_store = against_best(&[Subject::Graphile], samples, subject, creating);
            if let (Subject::MarePostgres, Some(ratio)) = (subject, Summary::of(same_store)) {
                let graphile = Subject::Graphile.label();
                verdicts.push(format!(
                    "{}, {creating:?}: {:.2} of {graphile}'s, the peer on the same database",
                    subject.label(),
                    ratio.median
                ));
            }
        }
    }
    verdicts
}

const HOW_TO: &str = "
## How it is measured

The clock runs from the first creation until the last task was done and acknowledged, so that creating and doing
compete for the machine as they do in life. Doing a task is one POST of 500 bytes to the same sink, which checks that
every task came and counts repetitions. Peers are used the way their documentation says (tests/bench/peers): BullMQ
with one worker, graphile-worker with a local queue and completion in batches. Creators are Node programs of their own;
Maré's uses its REST API. \"Lean client\" is Maré with a creator that costs little, to show the platform rather than
Node. Maré pushes through its gateway, with the metrics and limits of any request; the peers POST directly.
CPU is that of everything: creator, queue, store, sink.

Durable means that acknowledged is on disk: creations and completions. (On PostgreSQL, that Maré has begun a task is
committed but not waited for on the disk; a database that crashes just then repeats it.) `everysec` is not: it
is in the table for those who run it so.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_against_the_best_durable_peer_of_the_round() {
        let sample = |round, subject, done_s| Sample {
            round,
            subject,
            creating: Creating::Single,
            tasks: 1000,
            created_s: 1.0,
            done_s,
            cpu_s: 1.0,
            repeated: 0,
        };
        let samples = [
            sample(0, Subject::Mare, 1.0),
            sample(0, Subject::BullmqAlways, 3.0),
            sample(0, Subject::Graphile, 2.0),
            sample(0, Subject::BullmqEverysec, 0.5),
            sample(1, Subject::Mare, 1.0),
        ];
        assert_eq!(against_best(&PEERS, &samples, Subject::Mare, Creating::Single), [2.0]);
        assert!(against_best(&PEERS, &samples, Subject::Mare, Creating::Batched).is_empty());
        assert!(verdicts(&samples)[0].contains("holds the floor"));
    }
}
