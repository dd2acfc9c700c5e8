//! What a service finds in its environment, and what nobody may see of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::support::{Folder, Mare, get, until};

const MANIFEST: &str = r#"
[services.front-end]
run = "{probe} --key ${HOUSE_SECRET}"
env = { KEY = "${HOUSE_SECRET}", OWN = "http://localhost:$PORT" }
[services.api]
run = "{probe}"
database = "main"
[databases.main]
[services.worker]
run = "{probe} ${HOUSE_SECRET}"
internal = true
database = "other"
[databases.other]
url = "postgres://user:${HOUSE_SECRET}@db.example/other"
[services.broken]
run = "sh -c 'exit 1' ${HOUSE_SECRET}"
[[routes]]
match = "/broken"
service = "broken"
[[routes]]
match = "/api/*"
service = "api"
[[routes]]
match = "/*"
service = "front-end"
"#;

const SECRET: &str = "s3cr3t-value";

async fn up() -> Mare {
    let variables = [
        ("HOUSE_SECRET", SECRET),
        ("DATABASE_URL", "postgres://of-mare"),
        ("PORT", "1"),
        ("HOST", "0.0.0.0"),
        ("MARE_STRAY", "1"),
        ("HOUSE_INHERITED", "yes"),
        ("MARE_LOG", "debug"),
    ];
    let mare = Mare::launch(Folder::new(MANIFEST), &variables, &[]).await;
    mare.stdout.until("is ready at").await;
    mare
}

fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_service_gets_what_the_design_says_and_nothing_else_of_mare() {
    let mare = up().await;
    let environment = parse(&mare.text("/env").await);
    let port = environment["PORT"].clone();
    assert!((20_000..32_000).contains(&port.parse::<u16>().expect("a port")));
    let expected = [
        ("HOST", "127.0.0.1".to_owned()),
        ("MARE_SERVICE", "front-end".to_owned()),
        ("MARE_INSTANCE", "front-end-1".to_owned()),
        ("MARE_PUBLIC_URL", format!("http://{}", mare.public)),
        ("MARE_ADMIN_URL", format!("http://{}", mare.admin)),
        ("MARE_ISSUER", format!("http://{}", mare.admin)),
        ("KEY", SECRET.to_owned()),
        ("OWN", format!("http://localhost:{port}")),
        ("HOUSE_INHERITED", "yes".to_owned()),
    ];
    for (name, value) in expected {
        assert_eq!(environment.get(name), Some(&value), "{name}");
    }
    let of_mare: Vec<&str> =
        environment.keys().map(String::as_str).filter(|name| name.starts_with("MARE_")).collect();
    let wanted = [
        "MARE_ADMIN_URL",
        "MARE_INSTANCE",
        "MARE_ISSUER",
        "MARE_PUBLIC_URL",
        "MARE_SERVICE",
        "MARE_TASKS_PARENT",
        "MARE_TOKEN",
        "MARE_URL_API",
        "MARE_URL_BROKEN",
        "MARE_URL_WORKER",
    ];
    assert_eq!(of_mare, wanted);
    assert_eq!(environment.get("DATABASE_URL"), None, "it names no database");
    assert_eq!(environment.get("REDIS_URL"), None, "there is none");
    mare.stop().await;
}

#[tokio::test]
async fn a_database_is_for_the_service_that_names_it() {
    let mare = up().await;
    let environment = parse(&mare.text("/api/env").await);
    // The route keeps its prefix, so the probe answers with its name; the service's own address does not.
    assert!(environment.is_empty());
    let front_end = parse(&mare.text("/env").await);
    let direct = async |service: &str| {
        let url = &front_end[&format!("MARE_URL_{service}")];
        let address = url.strip_prefix("http://").expect("a URL").parse().expect("an address");
        parse(&get(address, "/env").await.body)
    };
    let file = mare.folder.path().canonicalize().expect("there").join(".mare/databases/main.sqlite3");
    assert_eq!(direct("API").await["DATABASE_URL"], format!("sqlite:{}", file.display()));
    let other = format!("postgres://user:{SECRET}@db.example/other");
    assert_eq!(direct("WORKER").await["DATABASE_URL"], other);
    mare.stop().await;
}

#[tokio::test]
async fn services_reach_each_other_internal_ones_too() {
    let mare = up().await;
    let called = mare.text("/call?url_in=MARE_URL_WORKER").await;
    assert!(called.starts_with("worker-1 "), "{called}");
    mare.stop().await;
}

#[tokio::test]
async fn interpolated_values_are_shown_to_nobody() {
    let mare = up().await;
    assert_eq!(mare.get("/broken").await.status, 503);
    // A service may print what it likes; this one prints its arguments.
    mare.text("/").await;
    let page = async |path: &str| get(mare.admin, path).await.body;
    let (status, metrics) = (page("/api/status").await, page("/metrics").await);
    let table = mare.folder.run(&["status"]).await.stdout;
    let check = mare.folder.run(&["check"]).await;
    assert_eq!(check.code, Some(2), "the variable is not set there");
    let log = mare.stderr.all().join("\n");
    assert!(log.contains("broken exited with status 1"), "{log}");
    for (place, text) in [("status", status), ("metrics", metrics), ("table", table), ("log", log)] {
        assert!(!text.contains(SECRET), "{place} shows the secret: {text}");
    }
    mare.stop().await;
}

#[tokio::test]
async fn a_missing_program_is_named_as_the_manifest_writes_it() {
    let folder = Folder::new("[services.web]\nrun = \"/nowhere/${HOUSE_SECRET} $PORT\"\n");
    let output = folder.command(&["up"]).env("HOUSE_SECRET", SECRET).output().await.expect("runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("${HOUSE_SECRET}") && !text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_not_named_by_its_value() {
    let manifest = "[services.web]\nrun = \"./${HOUSE_SECRET}\"\nscale = { min = 1 }\n";
    let folder = Folder::new(manifest);
    folder.write(SECRET, "neither executable nor a script");
    let mare = Mare::launch(folder, &[("HOUSE_SECRET", SECRET), ("MARE_LOG", "debug")], &[]).await;
    let web = mare.until("web", "it has failed", |web| web.failures() > 0).await;
    assert!(web.0.to_string().contains("Permission denied"), "{web:?}");
    assert!(!web.0.to_string().contains(SECRET), "{web:?}");
    assert!(!mare.stderr.has(SECRET) && !mare.stdout.has(SECRET));
    mare.stop().await;
}

#[tokio::test]
async fn an_instance_inherits_no_file_and_no_signal_setting_of_mare() {
    let manifest = "[services.web]\nrun = \"sleep 1000\"\nscale = { min = 1 }\n";
    let mare = Mare::launch(Folder::new(manifest), &[], &[]).await;
    let sleeping = async || {
        mare.folder
            .processes()
            .into_iter()
            .find(|one| one.words.starts_with('/') && one.words.contains("sleep 1000") && !one.is_guard())
    };
    let pid = until("it runs", sleeping).await.pid;
    // What our own parents left open is in all three.
    let (ours, of_mare, of_instance) = (files(std::process::id(), 0), files(mare.pid, 3), files(pid, 3));
    let leaked: Vec<_> = of_instance.intersection(&of_mare).filter(|file| !ours.contains(*file)).collect();
    assert!(leaked.is_empty() && !of_mare.is_empty(), "{leaked:?}");
    for name in ["SigBlk", "SigIgn"] {
        // What our own parents ignore (a shell's background job does) is not mare's doing.
        let added = signals(pid, name) & !signals(std::process::id(), name);
        // 32 and 33 are the C library's own; glibc's posix_spawn ignores them.
        assert_eq!(added & 0x7fff_ffff, 0, "{name}");
    }
    mare.stop().await;
}

/// One of a process's signal masks, as `/proc/PID/status` names it.
fn signals(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(name)).expect("Linux has it");
    u64::from_str_radix(line.rsplit('\t').next().expect("a mask"), 16).expect("a number")
}

/// What a process has open, from a descriptor on.
fn files(pid: u32, first: u32) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten();
    let number = |name: &std::ffi::OsStr| name.to_str().and_then(|name| name.parse::<u32>().ok());
    entries
        .filter(|entry| number(&entry.file_name()).is_some_and(|number| number >= first))
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .collect()
}
