//! `mare logs`

use std::io::Write as _;

use anyhow::Result;
use http_body_util::BodyExt;

use crate::{Usage, admin, cli};

pub(crate) async fn run(arguments: cli::Logs) -> Result<()> {
    // What cannot be a name must not be taken for another path or a query either.
    let is_named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if arguments.service.is_empty() || !arguments.service.bytes().all(is_named) {
        return Err(Usage(format!("there is no service `{}`", arguments.service)).into());
    }
    let follow = u8::from(arguments.follow);
    let path = format!("/api/logs/{}?lines={}&follow={follow}", arguments.service, arguments.lines);
    let mut body = admin::get(&arguments.platform, &path).await?.into_body();
    // Following has no deadline: the person at the keyboard ends it.
    while let Some(frame) = body.frame().await {
        if let Ok(lines) = frame?.into_data() {
            let mut out = std::io::stdout().lock();
            // A closed pipe (`| head`) is an ordinary end.
            if out.write_all(&lines).and_then(|()| out.flush()).is_err() {
                break;
            }
        }
    }
    Ok(())
}
