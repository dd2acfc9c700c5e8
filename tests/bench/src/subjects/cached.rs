//! Those who answer out of a cache: varnish, and mare with each of its guards on a route of its own.

use std::fs::write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::{Subjects, start_mare};
use crate::plan::Subject;
use crate::process::{Process, command, find, free_ports};

/// Of HS256. Which algorithm it is does not matter to a hit: a token is verified once.
const SECRET: &str = "only-for-this-benchmark-and-32-bytes-long";

/// Longer than any benchmark.
const LIFETIME: Duration = Duration::from_hours(24);

/// What clients show where they must: as many claims as tokens usually have.
pub(super) fn token() -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let claims = json!({
        "iss": "bench", "aud": "bench", "sub": "01a1ff24-2ac3-709c-95be-89c986bee8fe", "iat": now.as_secs(),
        "exp": (now + LIFETIME).as_secs(), "tenant": "01a1ff24-36ed-74da-a914-af86649f6181", "role": "owner",
        "scope": "read write",
    });
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}

/// The part of nginx's configuration: what it stores and where, and the route.
pub(super) fn nginx(folder: &Path, upstream: &str) -> (String, String) {
    let zone = format!(
        "  proxy_cache_path {}/nginx-cache levels=1:2 keys_zone=hits:10m max_size=128m inactive=1h;\n",
        folder.display()
    );
    let route = |path: &str, setting: &str| {
        format!(
            "    location {path} {{\n      proxy_pass http://{upstream};\n      proxy_http_version 1.1;\n\
             \x20     proxy_set_header Connection \"\";\n      proxy_set_header Host $http_host;\n\
             \x20     proxy_cache hits;\n      proxy_cache_valid 200 1h;\n      proxy_cache_lock on;\n\
             \x20     {setting}\n    }}\n"
        )
    };
    (zone, route("/hit", "open_file_cache off;") + &route("/hit/tuned", ""))
}

pub(super) async fn start_varnish(folder: &Path, port: u16, upstream: u16) -> Result<Process> {
    let rules = format!(
        "vcl 4.1;\nbackend canned {{ .host = \"127.0.0.1\"; .port = \"{upstream}\"; }}\n\
         sub vcl_backend_response {{ set beresp.ttl = 1h; }}\n"
    );
    let file = folder.join("varnish.vcl");
    write(&file, rules)?;
    let mut varnish = command(find("varnishd")?);
    varnish.args(["-F", "-j", "none", "-T", "none", "-s", "malloc,128m"]);
    varnish.arg("-a").arg(format!("127.0.0.1:{port}")).arg("-f").arg(file);
    varnish.arg("-n").arg(folder.join("varnish"));
    let mut process = Process::start("varnish", varnish, folder)?;
    process.listens(port).await?;
    Ok(process)
}

/// Two of mare: one with all its routes, and one that shares its cache through Redis.
pub(super) async fn start(subjects: &mut Subjects, mare: &Path, folder: &Path, upstream: u16) -> Result<()> {
    let (process, port) = start_mare(mare, folder, "mare-hit", &manifest(upstream)).await?;
    let all = [
        Subject::MareHit,
        Subject::MareHitLimit,
        Subject::MareHitJwt,
        Subject::MareHitHeaders,
        Subject::MareHitGuarded,
        Subject::MareHitTagged,
    ];
    subjects.add(&all, port, process);
    let [redis] = free_ports()?;
    subjects.add(&[], redis, start_redis(folder, redis).await?);
    let shared = format!("[backends]\nredis = \"redis://127.0.0.1:{redis}\"\n{}", manifest(upstream));
    let (process, port) = start_mare(mare, folder, "mare-hit-redis", &shared).await?;
    subjects.add(&[Subject::MareHitRedis], port, process);
    Ok(())
}

fn manifest(upstream: u16) -> String {
    let route = |path: &str, settings: &str| {
        format!("[[routes]]\nmatch = \"{path}\"\nurl = \"http://127.0.0.1:{upstream}\"\n{settings}\n")
    };
    let stored = "cache = { ttl = \"1h\" }";
    // A rate that is never reached: what is measured is counting.
    let limit = |per: &str| format!("limit = {{ rate = \"1000000/s\", per = \"{per}\" }}");
    let headers = "cors = { origins = [\"https://app.example.com\"], credentials = true }\n\
         networks = { allow = [\"127.0.0.0/8\"] }\nhosts = [\"127.0.0.1\"]\nsecurity = { hsts = \"365d\" }";
    let auth = format!(
        "[auth]\nissuer = \"bench\"\naudience = [\"bench\"]\n\
         [[auth.keys]]\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n"
    );
    [
        auth,
        route("/hit", stored),
        route("/hit/limit", &format!("{stored}\n{}", limit("ip"))),
        route("/hit/jwt", "cache = { ttl = \"1h\", per = \"user\" }\nauth = \"jwt\""),
        route("/hit/headers", &format!("{stored}\n{headers}")),
        route(
            "/hit/guarded",
            &format!("cache = {{ ttl = \"1h\", per = \"user\" }}\nauth = \"jwt\"\n{}", limit("user")),
        ),
        route("/tagged", stored),
    ]
    .concat()
}

async fn start_redis(folder: &Path, port: u16) -> Result<Process> {
    let mut redis = command(find("redis-server")?);
    redis.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]).arg(port.to_string());
    redis.arg("--dir").arg(folder);
    let mut process = Process::start("redis", redis, folder)?;
    process.listens(port).await?;
    Ok(process)
}
