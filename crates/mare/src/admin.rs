//! Asks the admin listener of a running platform.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Usage, cli, data};

/// The admin listener is near and quick.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document read whole: status of a thousand instances, with room.
const DOCUMENT_MAX: usize = 16 * 1024 * 1024;

/// Sends GET and returns the answer, its body still to be read. Fails unless it is 200.
pub(crate) async fn get(platform: &cli::Platform, path: &str) -> Result<Response<Incoming>> {
    send(platform, Request::get(path).body(Full::default())?).await
}

/// Sends JSON and returns the answer, its body still to be read. Fails unless it is 2xx.
pub(crate) async fn post(
    platform: &cli::Platform,
    path: &str,
    body: &serde_json::Value,
) -> Result<Response<Incoming>> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json");
    send(platform, request.body(Full::from(body.to_string()))?).await
}

async fn send(platform: &cli::Platform, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
    let data = platform.data.display();
    let nothing_runs = || {
        Usage(format!(
            "nothing runs with the data directory {data}; start `mare up`, or say --data or --admin"
        ))
    };
    let address = match platform.admin {
        Some(address) => address,
        None => data::running(&platform.data).map(|running| running.admin).ok_or_else(nothing_runs)?,
    };
    request.headers_mut().insert(HOST, address.to_string().try_into()?);
    if let Some(token) = data::token(&platform.data) {
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").try_into()?);
    }
    let ask = async {
        let stream = TcpStream::connect(address).await.map_err(|error| match platform.admin {
            Some(_) => Usage(format!("{error}; does `mare up` still run?")),
            None => nothing_runs(),
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer's body, or with the process.
        tokio::spawn(connection);
        anyhow::Ok(sender.send_request(request).await?)
    };
    let response = timeout(PATIENCE, ask)
        .await
        .map_err(|_elapsed| Usage(format!("{address} did not answer in {PATIENCE:?}")))?
        .with_context(|| format!("cannot ask {address}"))?;
    let status = response.status();
    if !status.is_success() {
        let text = text(response).await.unwrap_or_default();
        return Err(Usage(format!("{address} answered {status}: {}", text.trim())).into());
    }
    Ok(response)
}

pub(crate) async fn text(response: Response<Incoming>) -> Result<String> {
    let body = Limited::new(response.into_body(), DOCUMENT_MAX).collect();
    let bytes = timeout(PATIENCE, body).await?.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
