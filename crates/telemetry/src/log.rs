//! mare's own log, on standard error.

mod queue;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

pub use queue::Flush;

/// How lines are written, both mare's and its instances'.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// For people.
    Pretty,
    /// One object a line, for collectors.
    Json,
}

impl Format {
    /// People sit at terminals; what is piped is read by programs.
    pub fn guess() -> Self {
        if std::io::stdout().is_terminal() { Format::Pretty } else { Format::Json }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{filter}` is not a log filter; try `info` or `mare_gateway=debug`")]
    Filter { filter: String, source: tracing_subscriber::filter::ParseError },
    #[error("a log is set up already")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Starts logging for the whole process. `filter` as in `RUST_LOG`: `info`, `mare_fleet=debug`.
///
/// Keep what it returns until the end.
pub fn init(format: Format, filter: &str) -> Result<Flush, Error> {
    let parsed =
        EnvFilter::try_new(filter).map_err(|source| Error::Filter { filter: filter.to_owned(), source })?;
    let (writer, flush) = queue::start();
    let subscriber = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(writer);
    let started = match format {
        Format::Pretty => {
            let colours = std::io::stderr().is_terminal();
            subscriber.with_target(false).with_ansi(colours).finish().try_init()
        }
        Format::Json => subscriber.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(Error::Twice)?;
    Ok(flush)
}
