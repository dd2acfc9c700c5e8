//! `bench create`: creates tasks through Maré's REST API with as little CPU as may be, so that what is measured is
//! Maré and not its client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// The body of a task is its number in ten digits and `x` up to this.
const BODY_LEN: usize = 500;

#[derive(Clone, Debug, Deserialize)]
struct Settings {
    tasks: u32,
    creators: u32,
    batch: u32,
    /// `http://host:port/v2/…/queues/Q`
    store: String,
}

pub(crate) async fn run(settings: &str) -> Result<()> {
    let settings: Settings = serde_json::from_str(settings)?;
    let rest = settings.store.strip_prefix("http://").context("the store is no URL")?;
    let (address, path) = rest.split_once('/').context("the store has no path")?;
    let (address, path): (Arc<str>, Arc<str>) = (address.into(), format!("/{path}").into());
    let next = Arc::new(AtomicU32::new(0));
    let mut streams = Vec::new();
    for _ in 0..settings.creators {
        let stream = TcpStream::connect(&*address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let (began, at) = (Instant::now(), super::now());
    let mut creators = JoinSet::new();
    for stream in streams {
        let creator = Creator { stream, path: Arc::clone(&path), answer: Vec::new() };
        creators.spawn(creator.run(settings.clone(), Arc::clone(&next)));
    }
    while let Some(ended) = creators.join_next().await {
        ended??;
    }
    println!(
        "{}",
        serde_json::json!({ "began": at, "created": began.elapsed().as_secs_f64(), "done": null })
    );
    Ok(())
}

struct Creator {
    stream: TcpStream,
    path: Arc<str>,
    answer: Vec<u8>,
}

impl Creator {
    async fn run(mut self, settings: Settings, next: Arc<AtomicU32>) -> Result<()> {
        let parent = self.path.trim_start_matches("/v2/").to_owned();
        loop {
            let first = next.fetch_add(settings.batch, Ordering::Relaxed);
            if first >= settings.tasks {
                return Ok(());
            }
            let count = settings.batch.min(settings.tasks - first);
            let (path, body) = if settings.batch == 1 {
                (format!("{}/tasks", self.path), format!(r#"{{"task":{}}}"#, task(first)))
            } else {
                let requests: Vec<String> = (first..first + count)
                    .map(|number| format!(r#"{{"parent":"{parent}","task":{}}}"#, task(number)))
                    .collect();
                (
                    format!("{}/tasks:batchCreate", self.path),
                    format!(r#"{{"requests":[{}]}}"#, requests.join(",")),
                )
            };
            self.post(&path, &body).await?;
        }
    }

    async fn post(&mut self, path: &str, body: &str) -> Result<()> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(format!("{head}{body}").as_bytes()).await?;
        self.answer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the connection closed early");
            let Some(end) = self.answer.windows(HEAD_END.len()).position(|window| window == HEAD_END) else {
                continue;
            };
            let head = String::from_utf8_lossy(&self.answer[..end]);
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let whole = end + HEAD_END.len() + length.context("no Content-Length")?;
            if self.answer.len() >= whole {
                let text = || String::from_utf8_lossy(&self.answer).into_owned();
                ensure!(self.answer.starts_with(b"HTTP/1.1 200"), "refused: {}", text());
                return Ok(());
            }
        }
    }
}

/// In JSON.
fn task(number: u32) -> String {
    let mut content = format!("{number:010}").into_bytes();
    content.resize(BODY_LEN, b'x');
    format!(
        r#"{{"httpRequest":{{"url":"http://sink.mare.internal/","headers":{{"content-type":"application/octet-stream"}},"body":"{}"}}}}"#,
        STANDARD.encode(&content)
    )
}
