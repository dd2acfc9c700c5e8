//! The real binary, end to end.

mod admin;
mod arrows;
mod crashes;
mod environment;
mod failures;
mod health;
mod leaks;
mod load;
mod monitoring;
mod objectives;
mod orphans;
mod scaling;
mod several;
mod shutdown;
mod streams;
mod support;
mod tasks;
mod valoriza;
mod verbs;
