//! Files made from mare.toml for programs beside Maré: rules for Prometheus, a dashboard for Grafana.
//!
//! Pure functions from a manifest to text. Nothing secret gets in: of all a manifest says, only names,
//! objectives and slow rules are used.
//!
//! Both files are about the same series, so what those are called is in one place, [`series`].

pub mod grafana;
pub mod prometheus;
mod series;
