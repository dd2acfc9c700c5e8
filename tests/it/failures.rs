//! What mare says when a service, a port or a folder is not as it should be.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Answer, Folder, Mare, until};

fn web(run: &str, more: &str) -> String {
    format!("[services.web]\nrun = \"{run}\"\n{more}\n[[routes]]\nmatch = \"/*\"\nservice = \"web\"\n")
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_said_before_anything_runs() {
    let folder = Folder::new(&web("no-such-program --port $PORT", ""));
    folder.run(&["up"]).await.check(2, &["service web", "`no-such-program`", "PATH"]);
    folder.run(&["up", "--", "./nor-this"]).await.check(2, &["`./nor-this`"]);
}

/// Starts a service that never becomes ready; returns when the failure was reported.
async fn failing(run: &str, rest: &str, expected: &[&str]) -> Mare {
    let mare = Mare::launch(Folder::new(&web(run, rest)), &[], &[]).await;
    let service = mare.until("web", "it has failed", |web| web.failures() > 0).await;
    for text in expected {
        assert!(service.failure().contains(text), "no {text:?} in {:?}", service.failure());
        mare.stderr.until(text).await;
    }
    mare
}

#[tokio::test]
async fn a_service_that_exits_at_once_is_shown_with_its_last_lines() {
    let run = "sh -c 'echo first; echo last words >&2; exit 7'";
    let mare = failing(run, "scale = { min = 1 }", &["web exited with status 7 after"]).await;
    let service = mare.service("web").await;
    let output = service.0["last_failure"]["output"].as_array().expect("lines").clone();
    assert!(output.contains(&"first".into()) && output.contains(&"last words".into()), "{output:?}");
    assert!(mare.stderr.has("last words"), "{:?}", mare.stderr.all());
    let status = mare.folder.run(&["status"]).await;
    status.check(0, &["web exited with status 7", "  | last words"]);
    mare.stop().await;
}

#[tokio::test]
async fn a_signal_that_ended_a_service_is_named() {
    failing("sh -c 'kill -SEGV $$$$'", "scale = { min = 1 }", &["web was ended by signal 11"]).await;
}

#[tokio::test]
async fn a_service_that_ends_well_is_told_to_stay() {
    let expected = ["web exited with status 0", "must stay in the foreground"];
    failing("true", "scale = { min = 1 }", &expected).await;
}

const SHORT: &str = "scale = { min = 1 }\nhealth = { startup = \"800ms\" }\n";

#[tokio::test]
async fn a_service_that_listens_elsewhere_is_told_where() {
    // Only that port is chosen freely; it must not be what mare gives out.
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let more = format!("env = {{ PROBE_LISTEN = \"{elsewhere}\" }}\n{SHORT}");
    let listens = format!("it listens on {elsewhere}, not on 127.0.0.1:");
    failing("{probe}", &more, &["was not ready within 800 ms", &listens]).await;
}

#[tokio::test]
async fn a_service_that_listens_nowhere_is_told_so() {
    failing("sleep 1000", SHORT, &["was not ready within 800 ms", "it listens on no port"]).await;
}

#[tokio::test]
async fn a_health_check_that_fails_from_the_start_is_quoted() {
    let more = "env = { PROBE_SICK = \"1\" }\nscale = { min = 1 }\nhealth = { path = \"/health\", startup = \"500ms\" }";
    failing("{probe}", more, &["not ready within 500 ms", "GET /health answered 500"]).await;
}

/// A refusal with the right status, code and a Retry-After.
fn check_failing(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let problem: Value = serde_json::from_str(&answer.body).expect("a problem document");
    assert_eq!(problem["code"], "service-failing", "{answer:?}");
    assert_eq!(problem["retry_safe"], true);
    assert!(answer.headers["retry-after"].to_str().expect("ascii").parse::<u64>().expect("seconds") >= 1);
}

#[tokio::test]
async fn a_failing_service_is_refused_at_once_and_recovers_by_itself() {
    let run = "sh -c 'test -e works || exit 3; exec {probe}'";
    let mare = Mare::launch(Folder::new(&web(run, "")), &[], &[]).await;
    check_failing(&mare.get("/").await);
    mare.folder.write("works", "");
    let recovered = async || {
        let answer = mare.get("/").await;
        if answer.status != 200 {
            check_failing(&answer);
        }
        (answer.status == 200).then_some(answer.body)
    };
    let body = until("the service recovers", recovered).await;
    assert!(body.starts_with("web-"), "{body}");
    assert_eq!(mare.service("web").await.failure(), "");
    mare.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_who_holds_it() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("free");
    let address = holder.local_addr().expect("bound").to_string();
    let pid = format!("(pid {})", std::process::id());
    let folder = Folder::new(&web("{probe}", ""));
    for option in ["--listen", "--admin"] {
        let other = if option == "--listen" { "--admin" } else { "--listen" };
        let outcome = folder.run(&["up", option, &address, other, "127.0.0.1:0"]).await;
        outcome.check(2, &[&address, "in use", &pid, option]);
    }
}

#[tokio::test]
async fn a_data_directory_belongs_to_one_mare() {
    let mare = Mare::up(&web("{probe}", "")).await;
    let second = mare.folder.run(&["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).await;
    second.check(2, &["another mare", &format!("(pid {})", mare.pid), "--data"]);
    assert_eq!(mare.get("/").await.status, 200, "the first one goes on");
    mare.stop().await;
}

#[tokio::test]
async fn a_data_directory_is_free_again_after_a_crash() {
    let mut mare = Mare::up(&web("{probe}", "")).await;
    crate::support::kill(mare.pid);
    mare.exit_code().await;
    let folder = Folder::new(&web("{probe}", ""));
    let data = mare.folder.path().join(".mare");
    std::fs::rename(data, folder.path().join(".mare")).expect("moves");
    Mare::launch(folder, &[], &[]).await.stop().await;
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_is_the_users_to_mend() {
    let folder = Folder::new(&web("{probe}", ""));
    let outcome = folder.run(&["up", "--data", "mare.toml", "--listen", "127.0.0.1:0"]).await;
    outcome.check(2, &["cannot use the data directory mare.toml"]);
    folder.write("file", "");
    let outcome = folder.run(&["up", "--data", "file/below", "--listen", "127.0.0.1:0"]).await;
    outcome.check(2, &["cannot use the data directory file/below"]);
}
