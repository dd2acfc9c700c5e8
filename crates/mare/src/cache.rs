//! `mare cache`

mod warm;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use mare_cache::admin::{CacheDocument, PurgedDocument};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cli::{self, CacheAction};
use crate::{admin, print};

const REDRAW_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(arguments: cli::Cache) -> Result<()> {
    let cli::Cache { action, platform, watch, json } = &arguments;
    match action {
        None => overview(platform, *watch, *json).await,
        Some(CacheAction::Purge(what)) => purge(platform, what, *json).await,
        Some(CacheAction::Warm(what)) => warm::run(platform, what, *json).await,
    }
}

async fn overview(platform: &cli::Platform, watch: bool, json: bool) -> Result<()> {
    loop {
        let text = admin::text(admin::get(platform, "/api/cache").await?).await?;
        if json {
            print(&format!("{text}\n"));
        } else {
            let home = if watch { "\x1b[2J\x1b[H" } else { "" };
            print(&format!("{home}{}", table(&read(&text)?)));
        }
        if !watch {
            return Ok(());
        }
        tokio::time::sleep(REDRAW_EVERY).await;
    }
}

async fn purge(platform: &cli::Platform, what: &cli::CachePurge, json: bool) -> Result<()> {
    let cli::CachePurge { tags, urls, all } = what;
    let body = json!({ "tags": tags, "urls": urls, "all": all });
    let text = admin::text(admin::post(platform, "/api/cache/purge", &body).await?).await?;
    if json {
        print(&format!("{text}\n"));
        return Ok(());
    }
    let PurgedDocument { purge } = read(&text)?;
    let what = if *all { "everything".to_owned() } else { [&tags[..], urls].concat().join(", ") };
    print(&format!("purged {what} (purge {purge})\n"));
    Ok(())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).context("the answer is of another version of mare")
}

fn table(document: &CacheDocument) -> String {
    /// Bytes of a mebibyte.
    const MEBI: f64 = 1024.0 * 1024.0;
    let (memory, purges) = (&document.memory, &document.purges);
    let mut out = format!(
        "{}  {} entries in {:.1} of {:.1} MiB, {} evicted, {} purges\n\n",
        document.app,
        memory.entries,
        memory.bytes as f64 / MEBI,
        memory.limit as f64 / MEBI,
        memory.evictions,
        purges.count
    );
    if document.routes.is_empty() {
        out.push_str("no route has a cache; say cache = {} in mare.toml\n");
        return out;
    }
    let route = document.routes.iter().map(|route| route.route.len()).max().unwrap_or(0).max(5);
    let _ = writeln!(
        out,
        "{:route$}  {:>6}  {:>9}  {:>9}  {:>9}  {:>11}  {:>9}  {:>9}",
        "ROUTE", "RATIO", "HITS", "STALE", "COLLAPSED", "REVALIDATED", "MISSES", "PASSED"
    );
    for one in &document.routes {
        let ratio = one.ratio.map_or("-".to_owned(), |ratio| format!("{:.1}%", ratio * 100.0));
        let _ = writeln!(
            out,
            "{:route$}  {ratio:>6}  {:>9}  {:>9}  {:>9}  {:>11}  {:>9}  {:>9}",
            one.route, one.hits, one.stale, one.collapsed, one.revalidated, one.misses, one.passed
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use mare_cache::admin::{MemoryDocument, PurgesDocument, RouteDocument};

    use super::*;

    #[test]
    fn the_table_lines_up() {
        let route = |route: &str, hits, ratio| RouteDocument {
            route: route.to_owned(),
            hits,
            stale: 1,
            revalidated: 2,
            collapsed: 3,
            misses: 40,
            passed: 5,
            ratio,
        };
        let document = CacheDocument {
            app: "shop".to_owned(),
            memory: MemoryDocument { bytes: 3 << 19, limit: 64 << 20, entries: 12, evictions: 7 },
            purges: PurgesDocument { count: 9, remembered: 4, floor: 0 },
            routes: vec![route("GET /api/*", 1000, Some(0.956)), route("/", 0, None)],
        };
        let expected = "\
shop  12 entries in 1.5 of 64.0 MiB, 7 evicted, 9 purges

ROUTE        RATIO       HITS      STALE  COLLAPSED  REVALIDATED     MISSES     PASSED
GET /api/*   95.6%       1000          1          3            2         40          5
/                -          0          1          3            2         40          5
";
        assert_eq!(table(&document), expected);
    }
}
