//! Work that comes by the clock: `[schedules.NAME]`.

use crate::cron::Cron;

use super::queue::QueueTarget;

/// `[schedules.NAME]`: a task for every tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub cron: Cron,
    /// A key in [`super::Manifest::queues`].
    pub queue: String,
    /// Where its tasks go if the queue does not say; one of the two does.
    pub target: Option<QueueTarget>,
    pub missed: Missed,
}

/// What becomes of ticks while nothing ran.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Missed {
    /// They are lost.
    Skip,
    /// The last of them is made up for.
    #[default]
    Once,
    /// All are, up to a bound.
    All,
}
