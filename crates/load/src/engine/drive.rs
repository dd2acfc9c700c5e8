//! One run, from its configuration to what was seen: sees that the target answers, divides the work, starts it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::conductor::Conductor;
use super::connector::Recipe;
use super::division::Division;
use super::platform::{Admin, Watch};
use super::recorder::Failure;
use super::seek::Seek;
use super::target::Endpoint;
use crate::run::{PlatformSample, Promise, Run, Second};
use crate::scenario::Scenario;

/// For the connection that is only made to see whether one can be made.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// One run to be.
#[derive(Debug)]
pub struct Config {
    pub scenario: Scenario,
    /// The scenario's file, which other processes read again.
    pub source: String,
    pub origin: PathBuf,
    pub endpoint: Endpoint,
    /// Per process.
    pub threads: Option<u32>,
    /// At least so many; more if the users need more files than one process may open.
    pub processes: Option<u32>,
    /// The command whose hidden verb [`VERB`](super::VERB) is a further process.
    pub program: PathBuf,
    pub admin: Option<Admin>,
    pub promises: Vec<Promise>,
    /// Instead of the scenario's stages.
    pub seek: Option<Seek>,
    pub command: Vec<String>,
    pub commit: Option<String>,
    pub version: String,
}

/// Something new, for whoever watches.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    Second(&'a Second),
    Platform(&'a PlatformSample),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start the generator")]
    Start(#[source] std::io::Error),
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
}

/// Runs the scenario to its end, or until `stop` turns true. `seen` is called about once a second.
pub async fn drive(
    config: &Config,
    stop: watch::Receiver<bool>,
    seen: impl FnMut(Seen<'_>),
) -> Result<Run, Error> {
    let division = Division::of(config);
    probe(config).await?;
    let conductor = Conductor::new(config, division);
    let crew = division.start(config, conductor.plan()).await.map_err(Error::Start)?;
    let platform = Watch::start(config.admin.clone(), crew.start);
    Ok(conductor.conduct(crew, platform, stop, seen).await)
}

/// Connects once, so that a wrong certificate is said before anything begins.
async fn probe(config: &Config) -> Result<(), Error> {
    let unreachable = |why| Error::Unreachable { url: config.endpoint.url.clone(), why };
    let recipe = Recipe::new(config.endpoint.clone(), config.scenario.target.http, 1);
    match timeout(PROBE_TIMEOUT, recipe.stream(0)).await {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(Failure::Connect(why))) => Err(unreachable(why)),
        Ok(Err(failure)) => Err(unreachable(failure.kind().into_owned())),
        Err(_elapsed) => Err(unreachable(format!("no answer in {PROBE_TIMEOUT:?}"))),
    }
}
