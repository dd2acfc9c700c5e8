//! A service for tests: says who it is, and misbehaves on request.
//!
//! `PROBE_DELAY_MS` delays listening; `PROBE_LISTEN` names an address to listen on instead of `$HOST:$PORT`.
//! `probe-service relay NAME MS` passes everything on to the URL in the variable NAME, requests so many ms later.

use std::convert::Infallible;
use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::channel::Channel;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

type Body = UnsyncBoxBody<Bytes, Infallible>;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("fork") => fork(),
        Some("sleep") => rest(),
        Some("relay") => relay(),
        _ => serve(),
    }
}

/// First half of a double fork: leaves a daemon behind in a session of its own.
#[expect(clippy::zombie_processes, reason = "that it outlives us is the point")]
fn fork() {
    let daemon = itself("sleep").stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("spawns");
    println!("{}", daemon.id());
}

fn rest() -> ! {
    let _ = rustix::process::setsid();
    loop {
        std::thread::park();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn relay() {
    let argument = |at| env::args().nth(at).expect("relay NAME MS");
    let url = env::var(argument(2)).expect("mare sets it");
    let upstream = url.trim_start_matches("http://").to_owned();
    let delay = Duration::from_millis(argument(3).parse().expect("a number"));
    let address = format!("{}:{}", env::var("HOST").expect("set"), env::var("PORT").expect("set"));
    let listener = TcpListener::bind(address).await.expect("the port is free");
    loop {
        let (client, _) = listener.accept().await.expect("accepts");
        let upstream = upstream.clone();
        tokio::spawn(async move {
            let server = TcpStream::connect(upstream).await.expect("it listens");
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
                sleep(delay).await;
                if to_server.write_all(&bytes[..count]).await.is_err() {
                    break;
                }
            }
        });
    }
}

fn itself(mode: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("known"));
    command.arg(mode);
    command
}

#[tokio::main(flavor = "current_thread")]
async fn serve() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    println!("probe starts with {}", env::args().skip(1).collect::<Vec<_>>().join(" "));
    sleep(Duration::from_millis(number("PROBE_DELAY_MS").unwrap_or(0))).await;
    let address = env::var("PROBE_LISTEN").unwrap_or_else(|_unset| {
        let part = |name: &str| env::var(name).expect("mare sets it");
        format!("{}:{}", part("HOST"), part("PORT"))
    });
    let listener = TcpListener::bind(address).await.expect("the port is free");
    let sick = Arc::new(AtomicBool::new(env::var_os("PROBE_SICK").is_some()));
    let mut stop = signal(SignalKind::terminate()).expect("installs");
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.expect("accepts"),
            _ = stop.recv() => break,
        };
        let sick = Arc::clone(&sick);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&sick)));
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
    println!("probe ends");
}

async fn answer(request: Request<Incoming>, sick: Arc<AtomicBool>) -> Result<Response<Body>, Infallible> {
    let query = |name: &str| {
        let pairs = request.uri().query().unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let number = |name: &str, default: u64| query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let instance = || env::var("MARE_INSTANCE").unwrap_or_default();
    Ok(match request.uri().path() {
        "/slow" => {
            sleep(Duration::from_millis(number("ms", 100))).await;
            text(instance())
        }
        "/stream" => {
            stream(number("chunks", 3), Duration::from_millis(number("ms", 10)), |at| format!("chunk {at}\n"))
        }
        "/sse" => stream(number("chunks", 3), Duration::from_millis(number("ms", 10)), |at| {
            format!("data: {at}\n\n")
        }),
        "/echo" => text(request.into_body().collect().await.map_or_else(
            |error| error.to_string(),
            |body| String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        )),
        "/headers" => text(format!("{:?}", request.headers())),
        "/env" => text(environment()),
        "/say" => {
            println!("{}", query("what").unwrap_or_default());
            text("said".to_owned())
        }
        "/flood" => {
            let line = "x".repeat(1000);
            (0..number("lines", 1000)).for_each(|_| println!("{line}"));
            text("flooded".to_owned())
        }
        "/call" => call(query("url_in").unwrap_or_default()).await,
        "/die" => exit(9),
        "/sick" => {
            sick.store(true, Ordering::Relaxed);
            text("sick now".to_owned())
        }
        "/health" if sick.load(Ordering::Relaxed) => {
            let mut response = text("sick".to_owned());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
        "/spawn" => {
            let forked = itself("fork").stderr(Stdio::inherit()).output().expect("spawns");
            text(String::from_utf8_lossy(&forked.stdout).trim().to_owned())
        }
        "/task" => {
            sleep(Duration::from_millis(number("ms", 0))).await;
            task(&request, query("ledger"), number("status", 200), number("until", 0))
        }
        "/ws" => websocket(request),
        _ => text(format!("{} {}", instance(), std::process::id())),
    })
}

/// Says which task it got, on which attempt and from whom, and notes it in the file `ledger`; answers 503 `until` so
/// many retries, then `status`.
fn task(request: &Request<Incoming>, ledger: Option<&str>, status: u64, until: u64) -> Response<Body> {
    let header = |name: &str| {
        request.headers().get(name).map_or("-", |value| value.to_str().unwrap_or("?")).to_owned()
    };
    let retries = header("x-cloudtasks-taskretrycount");
    println!("task {} retry {retries} from {}", header("x-cloudtasks-taskname"), header("authorization"));
    if let Some(file) = ledger {
        let line = format!("{}\n", header("x-cloudtasks-taskname"));
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).expect("a file");
        // One write, so that lines of several instances do not mix.
        file.write_all(line.as_bytes()).expect("a line");
    }
    let mut response = text("done".to_owned());
    let is_early = retries.parse().unwrap_or(u64::MAX) < until;
    let status = if is_early { 503 } else { u16::try_from(status).unwrap_or(200) };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

fn text(text: String) -> Response<Body> {
    Response::new(Full::from(text).boxed_unsync())
}

fn environment() -> String {
    let lines: Vec<String> = env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    lines.join("\n")
}

fn stream(chunks: u64, pause: Duration, chunk: fn(u64) -> String) -> Response<Body> {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        for at in 0..chunks {
            if sender.send_data(chunk(at).into()).await.is_err() {
                return;
            }
            sleep(pause).await;
        }
    });
    Response::new(body.boxed_unsync())
}

/// Asks another service, whose URL is in the variable, who it is.
async fn call(variable: &str) -> Response<Body> {
    let url = env::var(variable).unwrap_or_default();
    let address = url.strip_prefix("http://").unwrap_or_default().to_owned();
    let ask = async {
        let stream = tokio::net::TcpStream::connect(&address).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let request = Request::get("/").header("host", &address).body(Full::<Bytes>::default()).ok()?;
        let body = sender.send_request(request).await.ok()?.into_body().collect().await.ok()?;
        Some(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    text(ask.await.unwrap_or_else(|| format!("no answer from {variable}={url}")))
}

/// Sends every message back until the client closes.
fn websocket(mut request: Request<Incoming>) -> Response<Body> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let Some(key) = key else {
        let mut response = text("this is a WebSocket".to_owned());
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return response;
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut response = text(String::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, "upgrade".parse().expect("valid"));
    headers.insert(UPGRADE, "websocket".parse().expect("valid"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()).parse().expect("base64"));
    response
}
