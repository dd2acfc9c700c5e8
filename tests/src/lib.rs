//! Tests of the whole house: its arrows, and the real binaries end to end.
//!
//! `it/` holds the tests, one module per topic; `it/support.rs` starts mare and looks at processes.
//! `src/bin/probe-service.rs` is the service that mare runs in them.
