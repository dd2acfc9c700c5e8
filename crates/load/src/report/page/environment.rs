//! What one needs to know to repeat the run.

use maud::{Markup, html};

use crate::report::format::{bytes, count};
use crate::report::summary::Summary;
use crate::run::Run;

/// Of the scenario's text, bytes: it may hold inline data by the megabyte.
const SOURCE_MAX: usize = 32_000;

pub(super) fn render(run: &Run, summary: &Summary) -> Markup {
    let conditions = &run.conditions;
    let machine = &conditions.machine;
    let facts = [
        ("Target", format!("{} ({})", summary.target, summary.http)),
        ("Started", summary.started.to_string()),
        ("Commit", conditions.commit.clone().unwrap_or_else(|| "not known".to_owned())),
        ("Mare", conditions.version.clone()),
        ("Processes, threads", format!("{}, {}", conditions.processes, conditions.threads)),
        ("Machine", format!("{}, {} cores, {}", machine.cpu, machine.cores, bytes(machine.memory_bytes))),
        ("Kernel", machine.kernel.clone()),
    ];
    let (source, left_off) = shortened(&conditions.scenario_source);
    html! {
        section {
            h2 { "To reproduce" }
            p { "Check out the commit, put the scenario below into a file, and run on the same kind of machine:" }
            pre.command { code { (command(&conditions.command)) } }
            dl.list { @for (name, value) in facts { dt { (name) } dd { (value) } } }
            @if !source.is_empty() {
                h3 { "The scenario" }
                pre { code { (source) } }
                @if left_off > 0 { p.note { (count(left_off)) " more bytes are in run.json." } }
            }
        }
    }
}

/// As a shell reads it back.
fn command(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = |word: &String| match word {
        word if !word.is_empty() && word.chars().all(plain) => word.clone(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The beginning, and how many bytes were left off.
fn shortened(source: &str) -> (&str, u64) {
    let end = source.floor_char_boundary(SOURCE_MAX);
    (&source[..end], (source.len() - end) as u64)
}
