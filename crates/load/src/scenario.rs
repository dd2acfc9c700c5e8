//! What a scenario file says, with every default filled in, and what is done with it that needs no network.
//!
//! [`load`](load()) makes a [`Scenario`] of the file's text. The engine then asks it for what each request needs:
//! [`Template::render`] writes paths, headers and bodies in a [`Scope`]; [`Step::take`] judges an answer and keeps what
//! later steps use. `grammar` is the table of the file's keys, `load/` reads along it. Nothing here awaits, reads a
//! clock or a file.

mod answer;
mod encode;
mod feed;
mod grammar;
mod load;
mod promises;
mod render;
mod template;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mare_manifest::model::Text;
use mare_manifest::model::objective::Limits;

use crate::run::StepRun;

pub use answer::{Answer, Variables};
pub use encode::Encoding;
pub use grammar::schema;
pub use load::load;
pub use promises::promises;
pub use render::Scope;

/// One scenario file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// By default the file's name without `.toml`.
    pub name: String,
    /// The `mare.toml` whose objectives are judged, if one is named.
    pub manifest: Option<PathBuf>,
    pub target: Target,
    pub model: Model,
    pub stages: Vec<Stage>,
    /// Requests each virtual user makes once, before its first flow. They are neither recorded nor judged.
    pub setup: Vec<Step>,
    /// How often a user makes them again between two flows, for logins that expire.
    pub setup_every: Option<Duration>,
    /// At least one.
    pub flows: Vec<Flow>,
    pub feeds: BTreeMap<String, Feed>,
    /// Beyond the manifest's objectives, by name.
    pub thresholds: BTreeMap<String, Threshold>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// `http://host:port` or `https://host:port`; `--target` replaces it.
    pub url: String,
    pub http: HttpVersion,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HttpVersion {
    Http1,
    Http2,
}

/// What the stages' level counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Model {
    /// Virtual users that wait for each answer (closed).
    Users,
    /// Flows started per second, whatever comes back (open); at most `users_max` are under way at once, and one
    /// that finds none free is late, never forgotten.
    Rate { users_max: u32 },
}

/// From the level before to this one during `ramp`, then held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Users, or flows per second.
    pub level: f64,
    pub ramp: Duration,
    pub hold: Duration,
}

/// One thing a virtual user does, over and over, chosen by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub name: String,
    pub weight: f64,
    pub pause: Pause,
    /// At least one.
    pub steps: Vec<Step>,
}

/// What sets the time of a user's next flow (closed model only).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pause {
    /// Waits this long after each step's answer.
    Think(Span),
    /// Starts a flow each so often, or at once if the one before took longer.
    Pacing(Span),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    Fixed(Duration),
    Uniform(Duration, Duration),
    /// With this mean.
    Exponential(Duration),
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// In reports. By default the request as written, without its query.
    pub name: String,
    pub method: http::Method,
    /// Path and query.
    pub path: Template,
    pub headers: Vec<(http::HeaderName, Template)>,
    pub body: Option<Template>,
    /// Until the last byte of the answer.
    pub timeout: Duration,
    pub extract: Vec<(String, Source)>,
    pub expect: Expect,
}

/// A text with `${…}` places, parsed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Literal(String),
    /// `${token}`: what an earlier step of this user extracted.
    Variable(String),
    /// `${accounts.id}`: a column of the feed's current row.
    Column {
        feed: String,
        column: String,
    },
    /// `${user}`: 0, 1, 2, … over all processes.
    User,
    /// `${iteration}`: how many flows this user began before.
    Iteration,
    /// `${uuid}`
    Uuid,
    /// `${random(1, 500)}`, both included.
    Random(i64, i64),
    /// `${pick(food, rent)}`
    Pick(Vec<String>),
    /// `${row}`: 0, 1, 2, … in the columns of a generated feed.
    Row,
    /// `${env.NAME}`: known, but not to be shown.
    Given(Text),
    /// The inner part's text, made fit for its place.
    Encoded {
        encoding: Encoding,
        part: Box<Part>,
    },
    /// `${today}`, or `${today(-30)}`: that many days away, as 2026-11-21.
    Day(i64),
}

/// Where an extracted value is in an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A JSON pointer (RFC 6901).
    Json(String),
    Header(http::HeaderName),
    Cookie(String),
}

/// What makes an answer right. Without `status`, any 2xx or 3xx.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    pub status: Vec<http::StatusCode>,
    /// The body contains this text.
    pub contains: Option<String>,
    /// JSON pointer to the value that must be there.
    pub json: Vec<(String, serde_json::Value)>,
}

/// Rows of named columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    pub columns: Vec<String>,
    pub rows: Rows,
    pub order: Order,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// From a CSV file or from the scenario.
    Given(Vec<Vec<String>>),
    /// Made when asked for: a template per column, this many rows.
    Generated { columns: Vec<Template>, rows: u64 },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// User 0 begins with the first row, user 1 with the second; each flow of a user takes the next one, and after
    /// the last comes the first.
    Sequential,
    Random,
    /// One row per user, kept; an error before the start if there are fewer rows than users.
    Unique,
}

/// `[thresholds.NAME]`
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The step it is about; `None`: all.
    pub step: Option<String>,
    pub limits: Limits,
}

impl Scenario {
    /// The steps that are recorded, in the order of [`crate::run::Run::steps`].
    pub fn steps(&self) -> impl Iterator<Item = (&Flow, &Step)> {
        self.flows.iter().flat_map(|flow| flow.steps.iter().map(move |step| (flow, step)))
    }

    /// As a run's record describes them.
    pub fn step_runs(&self) -> Vec<StepRun> {
        let describe = |(flow, step): (&Flow, &Step)| StepRun {
            flow: flow.name.clone(),
            name: step.name.clone(),
            request: step.request(),
        };
        self.steps().map(describe).collect()
    }

    /// The most users there will be at once.
    pub fn users_max(&self) -> u32 {
        self.model.users_max(&self.stages)
    }

    /// How long all stages take.
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.ramp + stage.hold).sum()
    }
}

impl Step {
    /// `GET /api/items/${id}`: as in the file, without the query.
    pub fn request(&self) -> String {
        let path = self.path.to_string();
        format!("{} {}", self.method, path.split('?').next().unwrap_or(&path))
    }
}

impl Model {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the level counts users here"
    )]
    fn users_max(self, stages: &[Stage]) -> u32 {
        match self {
            Self::Rate { users_max } => users_max,
            Self::Users => stages.iter().map(|stage| stage.level.ceil() as u32).max().unwrap_or_default(),
        }
    }
}
