//! One GET, for probing and for timing a first request.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far above anything a healthy subject takes on loopback, a start from zero included.
const DEADLINE: Duration = Duration::from_secs(20);
/// Above the largest file measured.
const ANSWER_LEN_MAX: usize = 1024 * 1024;
const HEAD_END: &str = "\r\n\r\n";

/// Requests `path` on a new connection and checks that the answer is a 200 with a body of `body_len` bytes.
pub(crate) async fn get(port: u16, ask: Ask<'_>, body_len: usize) -> Result<()> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    get_on(stream, ask, body_len).await
}

/// A path, and the bearer token that goes with it.
pub(crate) type Ask<'a> = (&'a str, Option<&'a str>);

pub(crate) async fn get_on(stream: TcpStream, ask: Ask<'_>, body_len: usize) -> Result<()> {
    timeout(DEADLINE, exchange(stream, ask, Some(body_len))).await.context("no answer in time")??;
    Ok(())
}

/// The body of the answer to a GET, which must be a 200.
pub(crate) async fn text(port: u16, path: &str) -> Result<String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    timeout(DEADLINE, exchange(stream, (path, None), None)).await.context("no answer in time")?
}

async fn exchange(mut stream: TcpStream, (path, token): Ask<'_>, body_len: Option<usize>) -> Result<String> {
    stream.set_nodelay(true)?;
    let host = stream.peer_addr()?;
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{token}\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        ensure!(answer.len() <= ANSWER_LEN_MAX, "the answer is too long");
        ensure!(stream.read_buf(&mut answer).await? > 0, "the connection closed early");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, _)) = text.split_once(HEAD_END) else { continue };
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.starts_with("HTTP/1.1 200"), "the answer to GET {path} is {status:?}");
        let announced = head.lines().find_map(content_length).context("no Content-Length")?;
        let expected = body_len.unwrap_or(announced);
        ensure!(announced == expected, "the body has {announced} bytes instead of {expected}");
        // Field names and values are ASCII here, so the head has as many bytes as its lossy text.
        let body = head.len() + HEAD_END.len();
        if let Some(content) = answer.get(body..body + announced) {
            return Ok(String::from_utf8_lossy(content).into_owned());
        }
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
}
