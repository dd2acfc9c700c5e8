//! The canned upstream: the cheapest HTTP/1.1 server that keeps connections alive, so that the proxies in front of
//! it are what is measured. It believes its callers: only requests without a body.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::plan::Workload;

/// Longer request heads than this are not sent here.
const HEAD_LEN_MAX: usize = 16 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

pub(crate) async fn run() -> Result<()> {
    let port: u16 =
        std::env::var("PORT").context("PORT is not set")?.parse().context("PORT is not a port")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let length = Workload::Proxy.body_len();
    let answer = |headers: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        let mut answer = head.into_bytes();
        answer.resize(answer.len() + length, b'x');
        answer
    };
    let answers = Arc::new(Answers { plain: answer(""), tagged: answer("Cache-Tag: bench\r\n") });
    loop {
        let (stream, _) = listener.accept().await?;
        // Ends with the process, which the benchmark kills; a broken connection concerns nobody here.
        tokio::spawn(serve(stream, Arc::clone(&answers)));
    }
}

struct Answers {
    plain: Vec<u8>,
    tagged: Vec<u8>,
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::with_capacity(HEAD_LEN_MAX);
    while stream.read_buf(&mut head).await? > 0 {
        while let Some(end) = head.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
            let is_tagged = head.starts_with(b"GET /tagged ");
            head.drain(..end + HEAD_END.len());
            stream.write_all(if is_tagged { &answers.tagged } else { &answers.plain }).await?;
        }
        if head.len() > HEAD_LEN_MAX {
            return Ok(());
        }
    }
    Ok(())
}
