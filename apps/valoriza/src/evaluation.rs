//! `valoriza categorise evaluate`: the figures of `categorise::evaluate`, and how long deciding takes here.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::brands;
use crate::categorise::{Engine, Lexicon, evaluate};

/// How many facts a tenant has when deciding is timed.
const FACTS: [usize; 3] = [0, 500, 5_000];

/// Measures; writes all of it to `json` and returns the tables.
pub fn run(seed: u64, seeds: u64, json: Option<&Path>) -> anyhow::Result<String> {
    let options = evaluate::Options { seed, seeds, ..evaluate::Options::default() };
    let brands = brands::read();
    let report = evaluate::run(&options, brands.as_deref());
    if let Some(path) = json {
        let text = serde_json::to_string(&report).context("turn the figures into JSON")?;
        std::fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    let mut out = format!(
        "{} names and words, {} of them brands of name-suggestion-index; seeds {:?}\n\n",
        report.lexicon_entries, report.brands, report.seeds
    );
    out.push_str(&report.markdown());
    throughput(&mut out, seed, brands.as_deref());
    Ok(out)
}

fn throughput(out: &mut String, seed: u64, brands: Option<&str>) {
    let mut lexicon = Lexicon::builtin();
    if let Some(tsv) = brands {
        lexicon.add_brands(tsv);
    }
    let engine = Engine::new(lexicon);
    let (took, rows) = timed(|| engine.warm());
    let _ =
        writeln!(out, "\n### Time on one core\n\nTraining the shared model: {took:.0?}, {rows} n-grams.\n");
    let _ =
        writeln!(out, "| Facts of the tenant | Making it ready | Decisions per second |\n|---:|---:|---:|");
    for facts in FACTS {
        let (samples, known) = evaluate::workload(seed, facts);
        let (ready, tenant) = timed(|| engine.tenant(known));
        let (took, _) = timed(|| {
            samples.iter().filter(|it| engine.decide(&it.input(), &tenant).choice.is_some()).count()
        });
        let per_second = samples.len() as f64 / took.as_secs_f64();
        let _ = writeln!(out, "| {facts} | {ready:.0?} | {per_second:.0} |");
    }
}

/// Time on the processor, so that a busy machine does not count; on the clock where the system does not tell.
fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let (start, busy) = (Instant::now(), on_processor());
    let made = what();
    let took = match (busy, on_processor()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    (took, made)
}

/// How long this thread has run; Linux tells it, in nanoseconds, as the first number.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
