//! Logs: text for a person at a terminal, JSON for everything else. Never a secret, a body or a query string.

use std::io::{IsTerminal, stdout};

use tracing_subscriber::EnvFilter;

/// `RUST_LOG` overrides it; sqlx's slow statements (text only, no values) are warnings.
const DEFAULT: &str = "info";

/// Installs the logger; call once, in `main`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset_or_wrong| EnvFilter::new(DEFAULT));
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    if stdout().is_terminal() {
        logs.init();
    } else {
        // The span carries trace_id, method and path.
        logs.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    }
}
