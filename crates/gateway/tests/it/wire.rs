//! HTTP/1.1 byte by byte, for either side of the gateway. It does not forgive: what is not well-formed panics.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything a healthy test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The request or status line.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// False if the connection ended before the body did.
    pub(crate) is_complete: bool,
}

impl Head {
    fn parse(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let line = lines.next().expect("split gives one").to_owned();
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
                assert!(
                    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
                    "not a header name: {line:?}"
                );
                assert!(!value.bytes().any(|byte| byte.is_ascii_control()), "control byte in {line:?}");
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        Self { line, headers }
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The only value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} is there {} times", all.len());
        all.first().copied()
    }

    pub(crate) fn status(&self) -> u16 {
        let number = self.line.split(' ').nth(1).unwrap_or_default();
        number.parse().unwrap_or_else(|_| panic!("not a status line: {:?}", self.line))
    }
}

impl Message {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is text")
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.head.get("content-type"), Some("application/problem+json"), "{:?}", self.head);
        let document: serde_json::Value = serde_json::from_slice(&self.body).expect("a problem document");
        assert_eq!(document["request_id"].as_str(), self.head.get("x-request-id"), "names the request");
        assert_eq!(document["status"], self.status());
        document["code"].as_str().expect("a code").to_owned()
    }
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.expect("connects"))
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the other side reads");
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await.expect("writing took too long")
    }

    /// Sends as much as is taken now, or waits until something is.
    pub(crate) async fn try_send_some(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.write(bytes).await
    }

    /// Reads more; false at the end of the connection.
    pub(crate) async fn fill(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        matches!(read.unwrap_or_else(|_| panic!("nothing came after {:?}", self.seen())), Ok(1..))
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// The next bytes, which must be these.
    pub(crate) async fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        while self.buffer.len() < bytes.len() {
            assert!(self.fill().await, "ended after {:?}", self.seen());
        }
        assert_eq!(String::from_utf8_lossy(&self.buffer[..bytes.len()]), String::from_utf8_lossy(bytes));
        self.buffer.drain(..bytes.len());
    }

    /// What was read and not looked at.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        assert!(self.buffer.is_empty(), "nothing was read");
        self.stream
    }

    /// Reads and forgets up to `count` bytes; fewer when the connection ends.
    pub(crate) async fn skip(&mut self, count: usize) -> usize {
        let mut skipped = 0;
        loop {
            let now = self.buffer.len().min(count - skipped);
            self.buffer.drain(..now);
            skipped += now;
            if skipped == count || !self.fill().await {
                return skipped;
            }
        }
    }

    /// `None` if the connection ended before a whole head came.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let text = std::mem::replace(&mut self.buffer, rest);
                return Some(Head::parse(std::str::from_utf8(&text[..end]).expect("a head is text")));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next request, as strictly as RFC 9112 allows to read it.
    pub(crate) async fn request(&mut self) -> Option<Message> {
        let head = self.head().await?;
        let parts: Vec<_> = head.line.split(' ').collect();
        assert!(parts.len() == 3 && parts[2] == "HTTP/1.1", "not a request line: {:?}", head.line);
        assert_eq!(head.all("host").len(), 1, "one host: {head:?}");
        let (body, is_complete) = self.body(&head, false).await;
        Some(Message { head, body, is_complete })
    }

    /// The answer to a request with this method.
    pub(crate) async fn reply_to(&mut self, method: &str) -> Message {
        let head = self.head().await.expect("an answer before the end");
        self.rest_of_reply(head, method).await
    }

    /// `None` if the connection ends without an answer.
    pub(crate) async fn try_reply(&mut self) -> Option<Message> {
        let head = self.head().await?;
        Some(self.rest_of_reply(head, "GET").await)
    }

    async fn rest_of_reply(&mut self, head: Head, method: &str) -> Message {
        assert!(head.line.starts_with("HTTP/1."), "not a status line: {:?}", head.line);
        let is_bodyless = method == "HEAD" || matches!(head.status(), 100..200 | 204 | 304);
        if is_bodyless {
            return Message { head, body: Vec::new(), is_complete: true };
        }
        let (body, is_complete) = self.body(&head, true).await;
        Message { head, body, is_complete }
    }

    pub(crate) async fn reply(&mut self) -> Message {
        self.reply_to("GET").await
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn ask(&mut self, request: &str) -> Message {
        self.send(request).await;
        self.reply_to(request.split(' ').next().expect("a method")).await
    }

    async fn body(&mut self, head: &Head, until_close: bool) -> (Vec<u8>, bool) {
        let (length, coding) = (head.get("content-length"), head.get("transfer-encoding"));
        assert!(length.is_none() || coding.is_none(), "two framings: {head:?}");
        match (length, coding) {
            (Some(length), None) => {
                assert!(length.bytes().all(|digit| digit.is_ascii_digit()), "{length:?}");
                self.exactly(length.parse().expect("a length")).await
            }
            (None, Some(coding)) => {
                assert_eq!(coding, "chunked");
                self.chunks().await
            }
            _ if until_close => {
                while self.fill().await {}
                (std::mem::take(&mut self.buffer), true)
            }
            _ => (Vec::new(), true),
        }
    }

    async fn exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.buffer.len() < length {
            if !self.fill().await {
                return (std::mem::take(&mut self.buffer), false);
            }
        }
        let rest = self.buffer.split_off(length);
        (std::mem::replace(&mut self.buffer, rest), true)
    }

    async fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let Some(chunk) = self.chunk().await else { return (body, false) };
            if chunk.is_empty() {
                return (body, true);
            }
            body.extend(chunk);
        }
    }

    /// The next chunk, empty for the last one; `None` if the connection ended.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            match find(&self.buffer, b"\r\n") {
                Some(end) => break end,
                None if self.fill().await => {}
                None => return None,
            }
        };
        let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
        let text = std::str::from_utf8(&line[..end]).expect("a chunk size");
        let size = usize::from_str_radix(text, 16).unwrap_or_else(|_| panic!("not a chunk size: {text:?}"));
        let (mut chunk, is_complete) = self.exactly(size + 2).await;
        if !is_complete {
            return None;
        }
        assert!(chunk.ends_with(b"\r\n"), "a chunk ends with a line end");
        chunk.truncate(size);
        Some(chunk)
    }

    /// Waits for the end of the connection and gives what came before it.
    pub(crate) async fn rest(&mut self) -> String {
        while self.fill().await {}
        self.seen()
    }

    /// The connection must end without another byte.
    pub(crate) async fn ends(&mut self) {
        assert_eq!(self.rest().await, "");
    }

    /// Closes with a reset, which drops what is in flight, as a process that dies does.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().expect("a socket");
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
