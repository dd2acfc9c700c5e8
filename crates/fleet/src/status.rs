//! What `/api/status` and `mare status` show.

use serde::{Deserialize, Serialize};

/// The state of the platform's services at one moment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Status {
    pub services: Vec<ServiceStatus>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ServiceStatus {
    pub name: String,
    /// Instances the autoscaler wants, and why.
    pub desired: u32,
    pub reason: String,
    pub min: u32,
    pub max: u32,
    /// Slots per instance.
    pub concurrency: u32,
    pub in_flight: u32,
    pub waiting: u32,
    pub instances: Vec<InstanceStatus>,
    /// Instances that ended unasked since the start of the platform.
    pub failures: u64,
    /// The latest failure, until an instance becomes ready.
    pub last_failure: Option<FailureStatus>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct InstanceStatus {
    pub id: String,
    /// `starting`, `ready`, `draining` or `stopping`
    pub state: String,
    pub address: Option<String>,
    /// Of the guard the instance runs under.
    pub pid: Option<u32>,
    pub in_flight: u32,
    pub age_seconds: f64,
    pub cpu_seconds: f64,
    pub memory_bytes: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FailureStatus {
    pub message: String,
    /// The last lines the instance wrote.
    pub output: Vec<String>,
}
