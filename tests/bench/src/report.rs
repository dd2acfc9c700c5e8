//! docs/benchmarks.md.

use std::fmt::Write;

use crate::Results;
use crate::cold::ColdStarts;
use crate::generators::{Effort, Generator, against_wrk};
use crate::plan::{CONNECTIONS, Subject, Workload};
use crate::rounds::{Sample, against_nginx, beside};
use crate::stats::{Summary, quantile, sorted};

/// Unrelated load, in cores, above which the report says that its numbers are not to be trusted: a tenth of the
/// smallest machine this is run on.
const NOISE_WARNING: f64 = 0.2;

pub(crate) fn markdown(results: &Results) -> String {
    let mut text = String::from("# Benchmarks\n\nWritten by `make bench` (tests/bench); do not edit.\n");
    verdicts(&mut text, results);
    conditions(&mut text, results);
    for workload in Workload::ALL {
        for connections in CONNECTIONS {
            table(&mut text, &results.samples, workload, connections);
        }
    }
    guards(&mut text, &results.samples);
    generators(&mut text, &results.efforts);
    cold_starts(&mut text, results.cold.as_ref());
    text.push_str(HOW_TO);
    text
}

fn verdicts(text: &mut String, results: &Results) {
    text.push_str("\n## Verdicts\n\n");
    for verdict in &results.verdicts {
        line(text, &format!("- {verdict}"));
    }
    if let Some(noise) = noise(&results.samples) {
        line(text, &format!("\n{noise}"));
    }
}

/// A warning, if the machine had other things to do while `samples` were taken.
pub(crate) fn noise(samples: &[Sample]) -> Option<String> {
    let noise = Summary::of(samples.iter().map(|sample| sample.noise_cores))?.median;
    (noise > NOISE_WARNING).then(|| {
        format!("The machine was not quiet: {noise:.1} cores were busy with something else (median). Measure again.")
    })
}

fn conditions(text: &mut String, results: &Results) {
    let (machine, options) = (&results.machine, &results.options);
    text.push_str("\n## Conditions\n\n");
    line(text, &format!("- {}, commit {}", machine.date, machine.commit));
    let memory = machine.memory_gib;
    line(
        text,
        &format!("- {} cores, {}, {memory:.1} GiB, Linux {}", machine.cores, machine.cpu, machine.kernel),
    );
    for (name, version) in &machine.versions {
        line(text, &format!("- {name}: {version}"));
    }
    let (rounds, seconds) = (options.rounds, options.seconds);
    line(
        text,
        &format!("- {rounds} rounds of {seconds} s for each row, interleaved, every other round backwards"),
    );
    if options.quick {
        line(text, "- **A quick run: it shows that the benchmark works, not how fast anything is.**");
    }
    let invalid: Vec<&Sample> = results.samples.iter().filter(|sample| !sample.is_valid()).collect();
    line(
        text,
        &format!(
            "- invalid runs (socket errors, answers outside of 2xx and 3xx, CPU time not known): {}",
            invalid.len()
        ),
    );
    for Sample { round, workload, connections, subject, errors, .. } in invalid {
        let (workload, subject, errors) = (workload.label(), subject.label(), errors.join("; "));
        line(
            text,
            &format!("  - round {}, {workload}, {connections} connections, {subject}: {errors}", round + 1),
        );
    }
    text.push_str(METHOD);
}

fn table(text: &mut String, samples: &[Sample], workload: Workload, connections: u32) {
    let case = |sample: &&Sample| (sample.workload, sample.connections) == (workload, connections);
    let samples: Vec<Sample> = samples.iter().filter(case).cloned().collect();
    if samples.is_empty() {
        return;
    }
    line(text, &format!("\n## {}, {connections} connections\n", capitalised(workload.label())));
    text.push_str("| | requests/s | / nginx | p50 ms | p99 ms | CPU us/request | / nginx | noise, cores |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for subject in workload.subjects() {
        let valid = || samples.iter().filter(|sample| sample.subject == *subject && sample.is_valid());
        let column = |metric: fn(&Sample) -> f64, digits| spread(valid().map(metric), digits);
        let ratio = |metric: fn(&Sample) -> f64| {
            spread(against_nginx(&samples, (workload, connections), *subject, metric), 2)
        };
        if !samples.iter().any(|sample| sample.subject == *subject) {
            continue;
        }
        let cells = [
            label(*subject),
            column(|sample| sample.rate, 0),
            ratio(|sample| sample.rate),
            column(|sample| sample.p50_us / 1e3, 2),
            column(|sample| sample.p99_us / 1e3, 1),
            column(|sample| sample.cpu_us, 1),
            ratio(|sample| sample.cpu_us),
            column(|sample| sample.noise_cores, 2),
        ];
        line(text, &format!("| {} |", cells.join(" | ")));
    }
    if let Some(noise) = noise(&samples) {
        line(text, &format!("\n{noise}"));
    }
}

/// What each guard adds to a hit, in the same round.
fn guards(text: &mut String, samples: &[Sample]) {
    text.push_str("\n## What a guard costs\n\n");
    text.push_str("CPU us per request that are added to a hit, differences within a round.\n\n");
    let header = CONNECTIONS.map(|connections| format!("{connections} connections")).join(" | ");
    line(text, &format!("| | {header} |\n|---|---|---|"));
    for (name, with, without) in [
        ("limit by address", Subject::MareHitLimit, Subject::MareHit),
        ("JWT, and answers by user", Subject::MareHitJwt, Subject::MareHit),
        ("CORS, networks, hosts, security headers", Subject::MareHitHeaders, Subject::MareHit),
        ("JWT, limit by user, answers by user", Subject::MareHitGuarded, Subject::MareHit),
        ("a tag", Subject::MareHitTagged, Subject::MareHit),
        ("a tag, looked up in Redis", Subject::MareHitRedis, Subject::MareHit),
    ] {
        let cells = CONNECTIONS.map(|connections| {
            let pairs =
                beside(samples, (Workload::Hit, connections), (with, without), |sample| sample.cpu_us);
            spread(pairs.into_iter().map(|(with, without)| with - without), 1)
        });
        line(text, &format!("| {name} | {} |", cells.join(" | ")));
    }
}

fn generators(text: &mut String, efforts: &[Effort]) {
    text.push_str("\n## Load generators\n\n");
    if efforts.is_empty() {
        text.push_str("Not measured.\n");
        return;
    }
    text.push_str(GENERATORS);
    text.push_str("| | requests per CPU second | / wrk |\n|---|---|---|\n");
    for generator in [Generator::Wrk, Generator::MareLoad, Generator::Locust] {
        let runs = efforts.iter().filter(|effort| effort.generator == generator && effort.is_valid());
        let absolute = spread(runs.map(Effort::requests_per_cpu_s), 0);
        let ratio = against_wrk(efforts, generator).map_or_else(|| "-".to_owned(), |ratio| range(ratio, 2));
        line(text, &format!("| {} | {absolute} | {ratio} |", generator.label()));
    }
    let invalid = efforts.iter().filter(|effort| !effort.is_valid()).count();
    line(text, &format!("\nInvalid runs (errors): {invalid}."));
}

fn cold_starts(text: &mut String, cold: Option<&ColdStarts>) {
    text.push_str("\n## Starts from zero\n\n");
    let Some(cold) = cold else {
        text.push_str("Not measured.\n");
        return;
    };
    line(text, &format!("{} starts, to the end of the first answer, in ms.\n", cold.mare_ms.len()));
    text.push_str("| | median | p90 | range |\n|---|---|---|---|\n");
    for (name, values) in [
        ("the service started directly", cold.direct_ms.clone()),
        ("first request to the service at zero", cold.mare_ms.clone()),
        ("**added by mare** (differences of neighbours)", cold.added_ms().collect()),
    ] {
        let sorted = sorted(values);
        let at = |at| quantile(&sorted, at).map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        line(text, &format!("| {name} | {} | {} | {} to {} |", at(0.5), at(0.9), at(0.0), at(1.0)));
    }
}

/// `median (min-max)`
fn spread(values: impl IntoIterator<Item = f64>, digits: usize) -> String {
    Summary::of(values).map_or_else(|| "-".to_owned(), |summary| range(summary, digits))
}

fn range(Summary { median, min, max }: Summary, digits: usize) -> String {
    format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
}

fn label(subject: Subject) -> String {
    match subject {
        subject if subject.is_mare() => format!("**{}**", subject.label()),
        other => other.label().to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}

const METHOD: &str = "
`wrk -t2 --latency`, GET over keep-alive connections. Load generator, proxy and upstream share the cores over
loopback, so a rate says how much a whole request costs, and is no promise for a machine of its own. The upstream
answers a canned 1 KiB (raw tokio, 2 threads); no logs anywhere. nginx: 2 workers, `reuseport`, upstream keep-alive,
`open_file_cache`. haproxy: 2 threads, `http-reuse always`. All proxies set X-Forwarded-For, -Proto, -Host and
X-Request-Id. nginx's `proxy_cache` keeps its answers in files the kernel has in memory, once as it is by default and once with
`open_file_cache`; varnish keeps them in `malloc`; of mare's hits
those with a token send it with each request, and nginx and varnish are asked without. mare runs with its defaults: a `url` route is proxying alone, a `service` route adds the accounting
of an instance's slots.

Cells are the median of the valid rounds and their range. `/ nginx` is the ratio to nginx in the same round. CPU is the
on-CPU time of all the proxy's threads by the scheduler's clock, divided by the completed requests; who else uses the
machine spoils it less than rates and latencies. Noise: cores busy with anything the benchmark did not start.
";

const GENERATORS: &str = "\
GET of the static file of 1 KiB from nginx over 64 connections, as fast as they allow; user and system CPU time of the
generator's processes, their start and end included (for `mare load` also judging the run and writing the report).

";

const HOW_TO: &str = "
A start from zero is the time from connecting to mare until the first answer is complete, with no instance running;
the direct start runs the same command and tries to connect every millisecond.

## Reproduce

    apt-get install wrk nginx haproxy varnish redis-server
    cargo build --profile dist -p mare -p bench
    target/dist/bench --mare target/dist/mare --check

`--only nginx,haproxy` leaves mare out, `--quick` takes less than a minute, `--json FILE` keeps every single run.
";
