//! What a scenario file says, with every default filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mare_manifest::model::objective::Limits;

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
    /// Each flow takes the next row; after the last comes the first.
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
