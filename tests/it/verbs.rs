//! `mare check`, `status`, `logs`, and `up -- COMMAND`.

use serde_json::Value;

use crate::support::{Folder, Lines, Mare, PROBE, get};

const WEB: &str = r#"
[app]
name = "shop"
[services.web]
run = "{probe} --own ${PORT}"
scale = { min = 1 }
[databases.main]
[[routes]]
match = "/*"
service = "web"
"#;

#[tokio::test]
async fn check_counts_what_is_valid() {
    let folder = Folder::new(WEB);
    folder.run(&["check"]).await.check(0, &["mare.toml is valid: 1 service, 1 route and 1 database"]);
    folder
        .run(&["check", "-f", "nowhere.toml"])
        .await
        .check(2, &["nowhere.toml", "-f", "mare up -- COMMAND"]);
}

#[tokio::test]
async fn check_and_up_report_all_mistakes_with_their_place() {
    let folder =
        Folder::new("[app]\ndrain = 30\n[services.api]\nrun = \"x\"\nenv = { K = \"${HOUSE_UNSET}\" }\n");
    for verb in ["check", "up"] {
        let outcome = folder.run(&[verb]).await;
        outcome.check(2, &["mare.toml:2:9", "needs a unit", "mare.toml:5:", "`HOUSE_UNSET` is not set"]);
        assert_eq!(outcome.stdout, "", "mistakes go to standard error");
    }
}

#[tokio::test]
async fn the_schema_is_json() {
    let outcome = Folder::new("").run(&["check", "--schema"]).await;
    outcome.check(0, &[]);
    let schema: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert!(schema["properties"]["services"].is_object(), "{schema}");
}

#[tokio::test]
async fn status_shows_a_running_platform() {
    let mare = Mare::up(WEB).await;
    let url = format!("http://{}", mare.public);
    mare.folder.run(&["status"]).await.check(0, &["shop", &url, "web-1", "ready", "1/1 of 10"]);
    let json = mare.folder.run(&["status", "--json"]).await;
    let document: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(document["services"][0]["instances"][0]["id"], "web-1");
    let admin = mare.admin.to_string();
    mare.folder.run(&["status", "--data", "elsewhere", "--admin", &admin]).await.check(0, &["web-1"]);

    let mut watching = mare.folder.command(&["status", "--watch"]).spawn().expect("starts");
    let frames = Lines::read(watching.stdout.take().expect("piped"));
    frames.until("web-1").await;
    watching.kill().await.expect("ours");
    mare.stop().await;
}

#[tokio::test]
async fn logs_shows_the_last_lines_and_follows() {
    let mare = Mare::up(WEB).await;
    for line in ["one", "two", "three"] {
        mare.text(&format!("/say?what={line}")).await;
        mare.stdout.until(line).await;
    }
    let last = mare.folder.run(&["logs", "web", "-n", "2"]).await;
    assert_eq!((last.code, last.stdout.as_str()), (Some(0), "web-1 | two\nweb-1 | three\n"));
    let mut following = mare.folder.command(&["logs", "web", "-f", "-n", "1"]).spawn().expect("starts");
    let lines = Lines::read(following.stdout.take().expect("piped"));
    lines.until("three").await;
    mare.text("/say?what=four").await;
    lines.until("four").await;
    assert_eq!(lines.all(), ["web-1 | three", "web-1 | four"]);
    following.kill().await.expect("ours");
    mare.folder.run(&["logs", "wib"]).await.check(2, &["there is no service `wib`"]);
    mare.stop().await;
}

#[tokio::test]
async fn nothing_running_is_the_users_to_mend() {
    let folder = Folder::new(WEB);
    for verb in [&["status"][..], &["logs", "web"]] {
        folder.run(verb).await.check(2, &["nothing runs with the data directory .mare", "mare up"]);
    }
}

#[tokio::test]
async fn a_killed_platform_is_not_running() {
    let mut mare = Mare::up(WEB).await;
    crate::support::kill(mare.pid);
    mare.exit_code().await;
    for verb in [&["status"][..], &["logs", "web"]] {
        mare.folder.run(verb).await.check(2, &["nothing runs with the data directory .mare", "mare up"]);
    }
    let admin = mare.admin.to_string();
    mare.folder.run(&["status", "--admin", &admin]).await.check(2, &[&admin, "does `mare up` still run?"]);
}

#[tokio::test]
async fn a_command_alone_is_one_service() {
    let command = ["--", PROBE, "--plain", "$PORT", "--braces", "x${PORT}y"];
    let folder = Folder::new("this file is not read");
    let mare = Mare::launch(folder, &[], &command).await;
    assert!(mare.text("/").await.starts_with("app-1 "));
    let status = mare.status().await;
    let address = status["services"][0]["instances"][0]["address"].as_str().expect("an address").to_owned();
    let port = address.rsplit(':').next().expect("a port");
    let line = mare.stdout.until("probe starts").await;
    assert!(line.contains(&format!("--plain {port} --braces x{port}y")), "{line}");
    assert_eq!(get(mare.public, "/any/where?x=1").await.status, 200);
    mare.stop().await;
}

#[tokio::test]
async fn a_strange_name_is_an_unknown_service() {
    let mare = Mare::up(WEB).await;
    for name in ["we b", "../status", "web/", "", "w\u{e9}b", "web?lines=1", "web#"] {
        mare.folder.run(&["logs", name]).await.check(2, &["there is no service"]);
    }
    mare.stop().await;
}
