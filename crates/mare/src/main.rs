//! The command `mare`: reads its arguments and hands over to the verb.

mod admin;
mod cache;
mod check;
mod cli;
mod data;
mod key;
mod load;
mod logs;
mod render;
mod status;
mod tasks;
mod up;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Verb};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the process ends with; part of the public interface.
mod exit {
    /// The user's arguments or manifest are wrong.
    pub(crate) const USAGE: u8 = 2;
    /// Verdicts of `mare load`.
    pub(crate) const FAIL: u8 = 3;
    pub(crate) const INVALID: u8 = 4;
    pub(crate) const INCONCLUSIVE: u8 = 5;
    /// Something failed that should not.
    pub(crate) const FAILED: u8 = 1;
}

/// An error that is the user's to mend: printed without the chain of causes of a bug, exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn main() -> ExitCode {
    // Before anything else: the guard must not have threads, nor a runtime.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|verb| verb == cli::GUARD) {
        let words: Vec<_> = arguments.skip_while(|word| word == "--").collect();
        mare_fleet::guard::main(&words);
    }
    let cli = Cli::parse();
    let outcome = match cli.verb {
        Verb::Up(arguments) => run(up::run(arguments)),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Status(arguments) => run(status::run(arguments)),
        Verb::Logs(arguments) => run(logs::run(arguments)),
        Verb::Tasks(arguments) => run(tasks::run(arguments)),
        Verb::Cache(arguments) => run(cache::run(arguments)),
        Verb::Key(arguments) => key::run(&arguments),
        Verb::Render(arguments) => render::run(&arguments),
        Verb::Load(arguments) => match run(load::run(*arguments)) {
            Ok(verdict) => return verdict,
            Err(error) => Err(error),
        },
        Verb::LoadProcess => run(load::child()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn run<T>(verb: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(verb);
    // A thread may be stuck in writing to a terminal that does not scroll; nobody waits for that.
    runtime.shutdown_background();
    outcome
}

/// Writes to standard output. A closed pipe (`| head`) is an ordinary end of the whole command.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(mistakes) = error.downcast_ref::<mare_manifest::Mistakes>() {
        eprint!("{}", check::render(mistakes));
        return ExitCode::from(exit::USAGE);
    }
    eprintln!("mare: {error:#}");
    ExitCode::from(if error.is::<Usage>() { exit::USAGE } else { exit::FAILED })
}
