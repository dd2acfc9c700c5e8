//! Who is told when something is wrong: `[alerts]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Text;
use super::objective::Subject;

/// `[alerts]`
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// Gets every alert as JSON. `http://` or `https://`.
    pub webhook: Option<Text>,
    /// Gets every alert as `{"text": …}`. `http://` or `https://`.
    pub slack: Option<Text>,
    pub email: Option<Email>,
    /// Between two evaluations.
    pub every: Duration,
    /// For how long the reason of an alert must be absent.
    pub clear: Duration,
    /// After how long an alert that goes on is told again.
    pub repeat: Duration,
    /// `[alerts.slow]`: rules by name. No objective has the same name.
    pub slow: BTreeMap<String, Slow>,
}

/// `[alerts] email = { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// `smtp://` or `smtps://`, perhaps with user and password.
    pub smtp: Text,
    pub from: String,
    /// Not empty.
    pub to: Vec<String>,
}

/// `pix = "POST /api/pix over 5s"`: no such request may take longer.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow {
    pub on: Subject,
    pub over: Duration,
}
