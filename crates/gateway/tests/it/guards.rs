//! Guards of routes, over real sockets: hostile headers, and what a service must never see.

mod browsers;
mod clients;
mod credentials;
mod limits;
mod sessions;

use crate::rig::{API, Rig};
use crate::upstream::Upstream;
use crate::wire::Message;

/// API keys with the SHA-256 of "one" and of "two".
const KEYS: &str = "[api_keys.one]\nroles = ['reader']\n\
    hash = 'sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'\n\
    [api_keys.two]\n\
    hash = 'sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3'\n";

/// One service `api` with one instance, behind `guards`, which stand in its route; `settings` stand above it.
fn guarded(upstream: &Upstream, settings: &str, guards: &str) -> Rig {
    let rig = Rig::new(&format!("{settings}\n{API}{guards}\n"));
    rig.announce("api", &[(upstream.address, 8)]);
    rig
}

/// The answer to a request with these header lines, on a connection of its own.
async fn ask(rig: &Rig, line: &str, lines: &str) -> Message {
    rig.client().await.ask(&format!("{line} HTTP/1.1\r\nhost: shop.example\r\n{lines}\r\n")).await
}

/// The code of a refusal, or the status of another answer.
fn outcome(reply: &Message) -> String {
    match reply.head.get("content-type") {
        Some("application/problem+json") => reply.code(),
        _ => reply.status().to_string(),
    }
}
