//! `mare load` as a whole. Its latencies are proven beside the engine; here are its processes, refusals and files.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Folder, Lines, Mare};

const WEB: &str = r#"
[app]
name = "shop"
[services.web]
run = "{probe}"
scale = { min = 1, max = 1 }
[[routes]]
match = "/*"
service = "web"
"#;

fn scenario(target: &str, hold: &str) -> String {
    format!(
        "[target]\nurl = \"{target}\"\n[[stages]]\nusers = 6\nramp = \"0s\"\nhold = \"{hold}\"\n\
         [[flows]]\nname = \"read\"\npacing = \"100ms\"\n[[flows.steps]]\nrequest = \"GET /\"\n\
         [thresholds.all]\nerrors = \"1%\"\n"
    )
}

fn kept(folder: &Folder) -> Value {
    let text = std::fs::read_to_string(folder.path().join("out/run.json")).expect("the run was kept");
    serde_json::from_str(&text).expect("JSON")
}

fn requests(run: &Value) -> u64 {
    let seconds = run["seconds"].as_array().expect("a list");
    seconds.iter().map(|second| second["steps"][0]["tally"]["total"].as_u64().expect("a count")).sum()
}

#[tokio::test]
async fn two_processes_do_what_one_would() {
    let mare = Mare::up(WEB).await;
    mare.folder.write("read.toml", &scenario(&format!("http://{}", mare.public), "3s"));
    let admin = mare.admin.to_string();
    let outcome = mare
        .folder
        .run(&[
            "load",
            "read.toml",
            "--processes",
            "2",
            "--out",
            "out",
            "--admin",
            &admin,
            "--interval",
            "1s",
        ])
        .await;
    assert!(outcome.stderr.contains("6 users"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("out/report.html"), "{}", outcome.stdout);
    let run = kept(&mare.folder);
    // Six users, ten starts a second each at most, however slow the machine is.
    assert!((60..=186).contains(&requests(&run)), "{}", requests(&run));
    assert_eq!(run["ended"], "completed");
    assert_eq!(run["generator"][0]["threads"].as_array().map(Vec::len), Some(2));
    assert_eq!(run["platform"][0]["services"]["web"]["max"], 1);
    for file in ["report.html", "report.json", "seconds.csv", "steps.csv"] {
        assert!(mare.folder.path().join("out").join(file).exists(), "{file}");
    }
    let again = mare.folder.run(&["load", "--render", "out/run.json", "--out", "again", "--json"]).await;
    assert_eq!(again.code, outcome.code);
    assert!(serde_json::from_str::<Value>(&again.stdout).is_ok(), "{}", again.stdout);
}

#[tokio::test]
async fn an_interrupt_ends_with_a_report() {
    let mare = Mare::up(WEB).await;
    mare.folder.write("read.toml", &scenario(&format!("http://{}", mare.public), "10m"));
    let arguments = ["load", "read.toml", "--processes", "2", "--out", "out", "--interval", "1s"];
    let mut load = mare.folder.command(&arguments).spawn().expect("starts");
    let lines = Lines::read(load.stderr.take().expect("piped"));
    lines.until("6 users").await;
    let pid = load.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).expect("it runs");
    kill_process(pid, Signal::INT).expect("it runs");
    crate::support::within("the load to end", load.wait()).await.expect("it ends");
    let run = kept(&mare.folder);
    assert_eq!(run["ended"], "interrupted");
    assert!(requests(&run) > 0);
}

#[tokio::test]
async fn what_cannot_be_aimed_at_is_said_before_anything_is_sent() {
    let folder = Folder::new("");
    folder.write("read.toml", &scenario("http://127.0.0.1:1", "1s"));
    folder
        .run(&["load", "read.toml"])
        .await
        .check(2, &["cannot reach http://127.0.0.1:1: connection refused"]);
    let public = ["load", "read.toml", "--target", "http://192.0.2.1"];
    folder.run(&public).await.check(2, &["192.0.2.1", "--i-own-this-host"]);
    folder.write("wrong.toml", "[[stages]]\nusers = \"many\"\n");
    folder.run(&["load", "wrong.toml"]).await.check(2, &["wrong.toml:2:9"]);
    assert!(!folder.path().join("out").exists());
}

#[tokio::test]
async fn every_scenario_that_ships_is_valid() {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let entries = std::fs::read_dir(shipped.join("apps/valoriza/load")).expect("a folder");
    let mut seen = 0;
    for scenario in entries.flatten().map(|entry| entry.path()) {
        let folder = Folder::new("");
        let scenario = scenario.to_str().expect("text");
        // Nothing is wrong with it if the target is what it fails at.
        let outcome = folder.run(&["load", scenario, "--target", "http://127.0.0.1:1"]).await;
        outcome.check(2, &["cannot reach http://127.0.0.1:1"]);
        seen += 1;
    }
    assert!(seen >= 4, "there are scenarios");
}
