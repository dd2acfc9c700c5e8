//! Where every task goes: counts the POSTs it gets, and how many of them are different.
//!
//! The cheapest HTTP/1.1 server that can: the body begins with the task's number in ten digits. `GET /reset` forgets,
//! `GET /count` tells `TOTAL DISTINCT`. It believes its callers.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HEAD_END: &[u8] = b"\r\n\r\n";
const DIGITS: usize = 10;
/// Longer requests are not sent here.
const REQUEST_LEN_MAX: usize = 64 * 1024;
/// Numbers beyond this count in the total only.
const TASKS_MAX: usize = 10_000_000;

#[derive(Default)]
struct Seen {
    total: u64,
    distinct: u64,
    bits: Vec<u64>,
}

impl Seen {
    fn count(&mut self, number: usize) {
        self.total += 1;
        let (word, bit) = (number / 64, 1_u64 << (number % 64));
        if number >= TASKS_MAX {
            return;
        }
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        if self.bits[word] & bit == 0 {
            self.bits[word] |= bit;
            self.distinct += 1;
        }
    }
}

pub(crate) async fn run() -> Result<()> {
    let port: u16 =
        std::env::var("PORT").context("PORT is not set")?.parse().context("PORT is not a port")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    loop {
        let (stream, _) = listener.accept().await?;
        // Ends with the process, which the benchmark kills; a broken connection concerns nobody here.
        tokio::spawn(serve(stream, Arc::clone(&seen)));
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::with_capacity(4096);
    while stream.read_buf(&mut input).await? > 0 {
        while let Some((used, answer)) = take(&input, &seen) {
            input.drain(..used);
            stream.write_all(answer.as_bytes()).await?;
        }
        if input.len() > REQUEST_LEN_MAX {
            return Ok(());
        }
    }
    Ok(())
}

/// The length of the first request and the answer to it; none if it is not whole yet.
fn take(input: &[u8], seen: &Mutex<Seen>) -> Option<(usize, String)> {
    let head = input.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
    let text = String::from_utf8_lossy(&input[..head]);
    let is_length =
        |line: &&str| line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case("content-length:"));
    let length = text.lines().find(is_length).and_then(|line| line[15..].trim().parse().ok()).unwrap_or(0);
    let body = head + HEAD_END.len();
    let content = input.get(body..body + length)?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let text = if text.starts_with("POST ") {
        let digits = content.get(..DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
        seen.count(digits.and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX));
        String::new()
    } else {
        if text.starts_with("GET /reset") {
            *seen = Seen::default();
        }
        format!("{} {}", seen.total, seen.distinct)
    };
    Some((body + length, format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_counted_once_each_and_in_total() {
        let seen = Mutex::new(Seen::default());
        let post = |number| format!("POST / HTTP/1.1\r\ncontent-length: 12\r\n\r\n{number:010}xx");
        for number in [3, 7, 3] {
            let request = post(number);
            assert_eq!(take(request.as_bytes(), &seen).expect("whole").0, request.len());
            assert!(take(&request.as_bytes()[..request.len() - 1], &seen).is_none());
        }
        let count = |path| take(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes(), &seen).expect("whole").1;
        assert!(count("/count").ends_with("\r\n\r\n3 2"));
        assert!(count("/reset").ends_with("\r\n\r\n0 0"));
    }
}
