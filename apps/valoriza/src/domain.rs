//! What valoriza is about, without I/O: no database, no HTTP, no clock.
//!
//! Each module holds one thing: its record as clients see it, what a client may write to it (read from
//! JSON by [`form::Form`], which reports all mistakes at once) and the rules between them.

pub mod account;
pub mod automation;
pub mod budget;
pub mod calendar;
pub mod categorised;
pub mod category;
pub mod form;
pub mod import;
pub mod member;
pub mod money;
pub mod notification;
pub mod page;
pub mod report;
pub mod review;
pub mod summary;
pub mod text;
pub mod transaction;
pub mod violation;
