//! `mare cache warm`: asks for every address of a file, as a client would.

mod tally;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::{Usage, admin, cli, print};
use tally::{Seen, Tally};

/// The largest file read: some 200 000 addresses.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Mistakes shown of one file.
const MISTAKES_MAX: usize = 10;

/// For one answer, its body included; instances may have to start for it.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
struct Status {
    public_url: String,
}

/// What all workers share.
struct Work {
    /// Host and port connected to, and asked for where a line names no host.
    address: String,
    headers: HeaderMap,
    targets: Mutex<std::vec::IntoIter<Target>>,
    done: AtomicUsize,
}

#[derive(Debug, PartialEq)]
struct Target {
    host: Option<HeaderValue>,
    /// Path and query.
    path: Uri,
}

pub(super) async fn run(platform: &cli::Platform, arguments: &cli::Warm, json: bool) -> Result<()> {
    let targets = read(&arguments.file)?;
    let headers = headers(&arguments.headers)?;
    let status = admin::text(admin::get(platform, "/api/status").await?).await?;
    let Status { public_url } =
        serde_json::from_str(&status).context("the status is of another version of mare")?;
    let public: Uri = public_url.parse().context("the public address")?;
    let address = public.authority().context("the public address has no host")?.to_string();
    let (count, started) = (targets.len(), Instant::now());
    let targets = Mutex::new(targets.into_iter());
    let work = Work { address, headers, targets, done: AtomicUsize::new(0) };
    let tally = warm(Arc::new(work), count, arguments.concurrency).await?;
    print(&if json { format!("{}\n", tally.json()) } else { tally.text(started.elapsed()) });
    if tally.unanswered > 0 {
        bail!("{} of {count} got no answer", tally.unanswered);
    }
    Ok(())
}

/// Does the work, so many requests at once, and shows at a terminal how far it is.
async fn warm(work: Arc<Work>, count: usize, concurrency: u16) -> Result<Tally> {
    let mut workers = JoinSet::new();
    for _worker in 0..concurrency {
        workers.spawn(ask_for_all(Arc::clone(&work)));
    }
    let mut tally = Tally::default();
    let mut progress = interval(Duration::from_secs(1));
    let is_watched = std::io::stderr().is_terminal();
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                Some(one) => tally.add(one?),
                None => break,
            },
            _ = progress.tick() => if is_watched {
                eprint!("\r{} of {count}", work.done.load(Ordering::Relaxed));
            },
        }
    }
    if is_watched {
        eprint!("\r\x1b[K");
    }
    Ok(tally)
}

async fn ask_for_all(work: Arc<Work>) -> Tally {
    let (mut tally, mut connection) = (Tally::default(), None);
    loop {
        let target = work.targets.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(target) = target else { return tally };
        match timeout(PATIENCE, ask(&work, &target, &mut connection)).await {
            Ok(Ok(seen)) => tally.saw(&seen),
            Ok(Err(error)) => tally.missed(format!("{error:#}")),
            Err(_elapsed) => tally.missed(format!("not within {PATIENCE:?}")),
        }
        work.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Leaves the connection open for the next one if it may be used again.
async fn ask(
    work: &Work,
    target: &Target,
    connection: &mut Option<SendRequest<Empty<Bytes>>>,
) -> Result<Seen> {
    let kept = match connection.take() {
        Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
        None => None,
    };
    let mut sender = match kept {
        Some(kept) => kept,
        None => connect(&work.address).await?,
    };
    let mut request = Request::get(target.path.clone()).body(Empty::new())?;
    *request.headers_mut() = work.headers.clone();
    if let Some(host) = &target.host {
        request.headers_mut().insert(HOST, host.clone());
    } else if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, work.address.parse()?);
    }
    let response = sender.send_request(request).await?;
    let seen = Seen::of(response.status(), response.headers());
    // Only what is read to its end is stored.
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    *connection = Some(sender);
    Ok(seen)
}

async fn connect(address: &str) -> Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with its sender.
    tokio::spawn(driver);
    Ok(sender)
}

fn read(file: &Path) -> Result<Vec<Target>> {
    let shown = file.display();
    let unreadable = |error: std::io::Error| Usage(format!("cannot read {shown}: {error}"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > FILE_MAX {
        return Err(Usage(format!("{shown} is larger than {FILE_MAX} bytes; split it")).into());
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let (targets, mistakes) = parse(&text);
    if mistakes.is_empty() {
        return Ok(targets);
    }
    let lines: Vec<String> = mistakes.iter().take(MISTAKES_MAX).map(ToString::to_string).collect();
    let wanted = "http://HOST/PATH or /PATH";
    Err(Usage(format!("{shown} has other things than {wanted} in line {}", lines.join(", "))).into())
}

/// The addresses, and the numbers of the lines that are none.
fn parse(text: &str) -> (Vec<Target>, Vec<usize>) {
    let (mut targets, mut mistakes) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match target(line) {
            Some(target) => targets.push(target),
            None => mistakes.push(index + 1),
        }
    }
    (targets, mistakes)
}

fn target(line: &str) -> Option<Target> {
    let uri: Uri = line.parse().ok()?;
    let path = uri.path_and_query()?.as_str();
    let host = match (uri.scheme_str(), uri.authority()) {
        // TLS, where there is any, ends before the public address.
        (Some("http" | "https"), Some(host)) => Some(HeaderValue::from_str(host.as_str()).ok()?),
        (None, None) if line.starts_with('/') => None,
        _ => return None,
    };
    Some(Target { host, path: path.parse().ok()? })
}

fn headers(lines: &[String]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let wrong = || Usage(format!("`{line}` is not a header; write NAME: VALUE"));
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_invalid| wrong())?;
        headers.append(name, value.trim().parse().map_err(|_invalid| wrong())?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
