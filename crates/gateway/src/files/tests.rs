//! Requests against a folder on disk. The pure parts have their own laws in `tests/`.

mod changes;
mod decisions;
mod escape;

use std::fs::{File, create_dir_all, write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use http_body_util::BodyExt;
use tempfile::TempDir;

use super::{Body, Folder, Missing, disk};

/// Saturday, 1 March 2025, 12:00:00 UTC and some nanoseconds.
const DATE: Duration = Duration::new(1_740_830_400, 123_456_789);
const DATE_TEXT: &str = "Sat, 01 Mar 2025 12:00:00 GMT";
const BEFORE: &str = "Sat, 01 Mar 2025 11:59:59 GMT";
const AFTER: &str = "Sat, 01 Mar 2025 12:00:01 GMT";
const NEVER: &str = "\"other\"";
/// Of `/a.txt`, ten bytes long.
const ETAG: &str = "\"67c2f6c0.75bcd15-a\"";
const ETAG_BR: &str = "\"67c2f6c0.75bcd15-2-br\"";

/// Writes `content` with the fixed date, so that entity tags are known and the memory keeps it.
fn put(root: &Path, relative: &str, content: &[u8]) {
    let path = root.join(relative);
    create_dir_all(path.parent().unwrap()).unwrap();
    write(&path, content).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + DATE).unwrap();
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

/// One byte more than memory keeps.
fn large() -> Vec<u8> {
    pattern(usize::try_from(disk::MEMORY_LEN_MAX).unwrap() + 1)
}

fn fixture() -> TempDir {
    let root = TempDir::new().unwrap();
    put(root.path(), "index.html", b"<home>");
    put(root.path(), "a.txt", b"0123456789");
    put(root.path(), "empty.txt", b"");
    put(root.path(), "docs/index.html", b"<docs>");
    put(root.path(), "bare/x.txt", b"x");
    put(root.path(), "app.js", b"plain");
    put(root.path(), "app.js.br", b"br");
    put(root.path(), "app.js.gz", b"gzip");
    put(root.path(), "app.js.zst", b"zs");
    put(root.path(), "only.css.br", b"br");
    put(root.path(), "index-Bx3k9Q2z.js", b"1");
    put(root.path(), "a b/ü.txt", b"umlaut");
    put(root.path(), ".env", b"secret");
    put(root.path(), ".git/config", b"secret");
    put(root.path(), ".well-known/security.txt", b"contact");
    put(root.path(), ".well-known/.hidden", b"secret");
    put(root.path(), "large.bin", &large());
    root
}

fn fields(list: &[(&str, &str)]) -> HeaderMap {
    let parse = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in list.iter().map(parse) {
        headers.append(name, value);
    }
    headers
}

async fn get(folder: &Folder, path: &str, list: &[(&str, &str)]) -> Result<Response<Bytes>, Missing> {
    request(folder, "GET", path, list).await
}

async fn request(
    folder: &Folder,
    method: &str,
    path: &str,
    list: &[(&str, &str)],
) -> Result<Response<Bytes>, Missing> {
    let method = method.parse::<Method>().unwrap();
    let (head, body) = folder.respond(&method, path, &fields(list)).await?.into_parts();
    Ok(Response::from_parts(head, collect(body).await.expect("the file does not change")))
}

async fn collect(body: Body) -> std::io::Result<Bytes> {
    Ok(body.collect().await?.to_bytes())
}

/// Sends `"GET /path"` with `list` and compares `"status body"`, or the reason for no answer, and each of `expected`.
/// An expected value of `-` means that the field is absent.
async fn check(line: &str, list: &[(&str, &str)], outcome: &str, expected: &[(&str, &str)]) {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), true);
    let (method, path) = line.split_once(' ').unwrap();
    // Twice: from the disk, then from memory.
    for source in ["disk", "memory"] {
        let answer = request(&folder, method, path, list).await;
        let (got, headers) = match answer {
            Ok(answer) => {
                let text = String::from_utf8_lossy(answer.body()).into_owned();
                (
                    format!("{} {text}", answer.status().as_u16()).trim_end().to_owned(),
                    answer.headers().clone(),
                )
            }
            Err(missing) => (format!("{missing:?}"), HeaderMap::new()),
        };
        assert_eq!(got, outcome, "{line} {list:?} from {source}");
        for (name, value) in expected {
            let all: Vec<_> = headers.get_all(*name).iter().map(|value| value.to_str().unwrap()).collect();
            let all = if all.is_empty() { "-".to_owned() } else { all.join(", ") };
            assert_eq!(all, *value, "{name} of {line} {list:?} from {source}");
        }
    }
}

#[tokio::test]
async fn a_file_comes_with_its_metadata() {
    let usual = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "10"),
        ("etag", ETAG),
        ("last-modified", DATE_TEXT),
        ("accept-ranges", "bytes"),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("vary", "-"),
        ("content-encoding", "-"),
    ];
    check("GET /a.txt", &[], "200 0123456789", &usual).await;
    check("HEAD /a.txt", &[], "200", &usual).await;
    check("GET /empty.txt", &[], "200", &[("content-length", "0")]).await;
    check("GET /a%20b/%C3%BC.txt", &[], "200 umlaut", &[]).await;
    let forever = [("cache-control", "public, max-age=31536000, immutable")];
    check("GET /index-Bx3k9Q2z.js", &[], "200 1", &forever).await;
    check("POST /a.txt", &[], "MethodNotAllowed", &[]).await;
    check("OPTIONS /a.txt", &[], "MethodNotAllowed", &[]).await;
}

#[tokio::test]
async fn a_folder_answers_with_its_index_or_sends_there() {
    check("GET /", &[], "200 <home>", &[("content-type", "text/html; charset=utf-8")]).await;
    check("GET /docs/", &[], "200 <docs>", &[]).await;
    check("GET /docs", &[], "308", &[("location", "./docs/")]).await;
    check("GET /%64ocs", &[], "308", &[("location", "./docs/")]).await;
    check("GET /bare", &[], "NotFound", &[]).await;
    check("GET /bare/", &[], "NotFound", &[]).await;
    check("GET /a.txt/", &[], "NotFound", &[]).await;
    check("GET /index.html/", &[], "NotFound", &[]).await;
    check("GET //docs", &[], "NotFound", &[]).await;
    check("GET //evil.example/..", &[], "NotFound", &[]).await;
    check("GET /docs//", &[], "NotFound", &[]).await;
}

#[tokio::test]
async fn hidden_and_hostile_names_are_not_found() {
    let secret = "/.env /.git/config /docs/../.env /docs/.. /./a.txt /%2e%2e/a.txt /%2e/a.txt /.%2e/a.txt \
        /docs%2findex.html /docs%5cindex.html /docs\\index.html /a.txt%00 /a.txt%00.html /%252e%252e/a.txt \
        /a.txt%0a /%ff.txt /%C3%BC%ff a.txt /.well-known/.hidden /docs/.well-known/x /only.css /.well-known/nothing \
        /.well-known-not/x /a.txt/../a.txt /...";
    let navigation = [("accept", "text/html,*/*;q=0.8")];
    for path in secret.split_whitespace() {
        check(&format!("GET {path}"), &navigation, "NotFound", &[]).await;
    }
    check("GET ", &navigation, "NotFound", &[]).await;
    check("GET /.well-known/security.txt", &[], "200 contact", &[]).await;
}

#[tokio::test]
async fn navigation_to_an_unknown_page_gets_the_application() {
    let navigation = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let marks = [("vary", "accept"), ("cache-control", "no-cache")];
    check("GET /accounts/42", &navigation, "200 <home>", &marks).await;
    check("HEAD /accounts/42", &navigation, "200", &marks).await;
    check("GET /bare/", &navigation, "200 <home>", &[]).await;
    check("GET /", &navigation, "200 <home>", &[("vary", "-")]).await;
    check("GET /accounts/42", &[("accept", "application/json")], "NotFound", &[]).await;
    check("GET /accounts/42", &[], "NotFound", &[]).await;
    check("GET /accounts/old.js", &navigation, "NotFound", &[]).await;
    check("GET /a%2fb", &navigation, "NotFound", &[]).await;
    let plain = Folder::new(fixture().path().to_owned(), false);
    assert!(get(&plain, "/accounts/42", &navigation).await.is_err(), "only where the route says so");
}

#[tokio::test]
async fn the_best_accepted_variant_is_sent() {
    let br = [("vary", "accept-encoding"), ("content-encoding", "br"), ("etag", ETAG_BR)];
    let plain = [("vary", "accept-encoding"), ("content-encoding", "-")];
    check("GET /app.js", &[("accept-encoding", "gzip, deflate, br, zstd")], "200 br", &br).await;
    check("GET /app.js", &[], "200 plain", &plain).await;
    check("GET /app.js", &[("accept-encoding", "gzip, br;q=0.5")], "200 gzip", &[]).await;
    check("GET /app.js", &[("accept-encoding", "identity;q=0, *;q=0")], "200 plain", &plain).await;
    check("GET /app.js", &[("accept-encoding", "br"), ("range", "bytes=1-")], "206 r", &br).await;
    check("GET /app.js", &[("accept-encoding", "br"), ("if-none-match", ETAG_BR)], "304", &[]).await;
    check("GET /app.js", &[("accept-encoding", "gzip"), ("if-none-match", ETAG_BR)], "200 gzip", &[]).await;
    check("GET /a.txt", &[("accept-encoding", "br")], "200 0123456789", &[("vary", "-")]).await;
}

#[tokio::test]
async fn conditions_are_evaluated_in_the_order_of_rfc_9110() {
    let whole = "200 0123456789";
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("if-match", "*")], whole),
        (&[("if-match", "\"x\", \"67c2f6c0.75bcd15-a\"")], whole),
        (&[("if-match", NEVER)], "412"),
        (&[("if-match", "W/\"67c2f6c0.75bcd15-a\"")], "412"),
        (&[("if-match", "rubbish")], "412"),
        (&[("if-match", ETAG), ("if-unmodified-since", BEFORE)], whole),
        (&[("if-match", NEVER), ("if-none-match", ETAG)], "412"),
        (&[("if-unmodified-since", BEFORE)], "412"),
        (&[("if-unmodified-since", DATE_TEXT)], whole),
        (&[("if-unmodified-since", "yesterday")], whole),
        (&[("if-unmodified-since", DATE_TEXT), ("if-modified-since", DATE_TEXT)], "304"),
        (&[("if-none-match", "*")], "304"),
        (&[("if-none-match", "W/\"67c2f6c0.75bcd15-a\"")], "304"),
        (&[("if-none-match", NEVER), ("if-none-match", ETAG)], "304"),
        (&[("if-none-match", "\"a,b\" , \"67c2f6c0.75bcd15-a\"")], "304"),
        (&[("if-none-match", NEVER), ("if-modified-since", AFTER)], whole),
        (&[("if-none-match", "rubbish")], whole),
        (&[("if-modified-since", BEFORE)], whole),
        (&[("if-modified-since", DATE_TEXT)], "304"),
        (&[("if-modified-since", AFTER), ("if-modified-since", AFTER)], whole),
        (&[("if-none-match", ETAG), ("range", "bytes=0-1")], "304"),
        (&[("if-match", NEVER), ("range", "bytes=99-")], "412"),
        (&[("range", "bytes=0-1"), ("if-range", ETAG)], "206 01"),
        (&[("range", "bytes=0-1"), ("if-range", NEVER)], whole),
        (&[("range", "bytes=0-1"), ("if-range", "W/\"67c2f6c0.75bcd15-a\"")], whole),
        (&[("range", "bytes=0-1"), ("if-range", DATE_TEXT)], "206 01"),
        (&[("range", "bytes=0-1"), ("if-range", AFTER)], whole),
        (&[("range", "bytes=99-"), ("if-range", NEVER)], whole),
    ];
    for (list, outcome) in cases {
        check("GET /a.txt", list, outcome, &[]).await;
    }
    let kept =
        [("etag", ETAG), ("cache-control", "no-cache"), ("content-length", "-"), ("content-type", "-")];
    check("GET /a.txt", &[("if-none-match", ETAG)], "304", &kept).await;
    check("HEAD /a.txt", &[("if-none-match", ETAG)], "304", &kept).await;
}

#[tokio::test]
async fn one_range_is_a_part_and_several_are_the_whole() {
    let part = [("content-range", "bytes 2-4/10"), ("content-length", "3"), ("etag", ETAG)];
    check("GET /a.txt", &[("range", "bytes=2-4")], "206 234", &part).await;
    check("GET /a.txt", &[("range", "bytes=-3")], "206 789", &[("content-range", "bytes 7-9/10")]).await;
    check("GET /a.txt", &[("range", "bytes=10-")], "416", &[("content-range", "bytes */10")]).await;
    check("GET /a.txt", &[("range", "bytes=0-1,3-4")], "200 0123456789", &[("content-range", "-")]).await;
    check("GET /empty.txt", &[("range", "bytes=0-")], "416", &[("content-range", "bytes */0")]).await;
    check("HEAD /a.txt", &[("range", "bytes=2-4")], "200", &[("content-length", "10")]).await;
}
