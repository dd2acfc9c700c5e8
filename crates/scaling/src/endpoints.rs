use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Names one running copy of a service; never used twice in one run of the controller.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InstanceId(pub u64);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the controller tells one gateway about one service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoints {
    /// Grows with every change; a gateway reports the one it applied.
    pub generation: u64,
    pub instances: Vec<Endpoint>,
    /// Set while instances keep failing to start: requests are refused at once instead of waiting in vain.
    pub failing: Option<Failing>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    pub id: InstanceId,
    pub address: SocketAddr,
    pub availability: Availability,
    /// How many of the instance's slots this gateway may fill.
    pub share: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Availability {
    Ready,
    /// Finishes what it has, gets nothing new.
    Draining,
    /// Failed its liveness probe; gets nothing new.
    Unhealthy,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failing {
    /// When the next start is tried.
    pub retry_after: Duration,
}
