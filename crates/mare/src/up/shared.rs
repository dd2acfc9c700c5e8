//! What connects this platform's gateway with others, if `[backends]` names a Redis to do so.

use anyhow::Result;
use mare_cache::Cache;
use mare_cache::redis::{Config, Redis, Service};
use mare_manifest::model::Manifest;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Usage;

/// The way to Redis, kept open. Without one, nothing.
pub(super) struct Connected(Option<(JoinHandle<()>, CancellationToken)>);

/// The cache, and what keeps it and the rate limits in touch with those of other gateways.
pub(super) fn cache(manifest: &Manifest, registry: &mut Registry) -> Result<(Cache, Option<Service>)> {
    let (config, app) = (&manifest.cache, manifest.app.name.as_str());
    let Some(url) = &manifest.backends.redis else { return Ok((Cache::new(config, app, registry), None)) };
    let of_redis = Config { url: url.reveal(), timeout: config.redis_timeout, app };
    let (redis, service) = Redis::new(&of_redis, registry)
        .map_err(|error| Usage(format!("[backends] redis = \"{url}\": {error}")))?;
    Ok((Cache::with_redis(config, app, &redis, registry), Some(service)))
}

impl Connected {
    pub(super) fn start(service: Option<Service>) -> Self {
        Self(service.map(|service| {
            let stop = CancellationToken::new();
            (tokio::spawn(service.run(stop.clone().cancelled_owned())), stop)
        }))
    }

    /// Once nobody needs it any more.
    pub(super) async fn end(self) -> Result<()> {
        if let Some((running, stop)) = self.0 {
            stop.cancel();
            running.await?;
        }
        Ok(())
    }
}
