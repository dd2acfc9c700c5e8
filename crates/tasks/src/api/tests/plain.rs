//! Both ways of REST agree. What every Google API takes and nothing here heeds keeps a request from the shorter one.

use http::Method;
use serde_json::{Value, json};

use super::rig::{PARENT, Rig, name_of, to_worker};

/// Without what differs from one creation to the next.
fn masked(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                *field = match (name.as_str(), field.as_str()) {
                    ("name", Some(text)) => json!(text.rsplit_once('/').map(|(above, _)| above)),
                    (name, Some(text)) if name.ends_with("Time") => {
                        json!(text.parse::<jiff::Timestamp>().is_ok())
                    }
                    _ => masked(field.take()),
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = masked(item.take())),
        _ => {}
    }
    value
}

#[tokio::test]
async fn plain_creations_are_answered_like_all_others() {
    let rig = Rig::new().await;
    let check = async |method: &str, body: String| {
        let path = format!("/v2/{PARENT}/queues/{method}");
        let plain = rig.send(Method::POST, &path, body.clone()).await;
        let other = rig.send(Method::POST, &format!("{path}?prettyPrint=true"), body.clone()).await;
        assert_eq!(plain.status, other.status, "{body}: {}", plain.body);
        assert_eq!(masked(plain.body), masked(other.body), "{body}");
    };
    let mut tasks = vec![to_worker()];
    let mut change = |change: fn(&mut Value)| {
        let mut task = to_worker();
        change(&mut task);
        tasks.push(task);
    };
    change(|task| task["httpRequest"]["body"] = json!("aGk="));
    change(|task| task["httpRequest"]["body"] = json!("_-8"));
    change(|task| task["httpRequest"]["body"] = json!("no base64!"));
    change(|task| task["httpRequest"]["httpMethod"] = json!("PATCH"));
    change(|task| task["httpRequest"]["httpMethod"] = json!("FETCH"));
    change(|task| task["httpRequest"]["httpMethod"] = json!(3));
    change(|task| task["httpRequest"]["headers"] = json!({ "A": "b", "X-Mare-Priority": "3", "Host": "x" }));
    change(|task| task["httpRequest"]["headers"] = json!({ "A b": "c" }));
    change(|task| task["httpRequest"]["url"] = json!("http://elsewhere.example/"));
    change(|task| task["httpRequest"]["urll"] = json!(""));
    change(|task| task["httpRequest"]["oidcToken"] = json!({ "serviceAccountEmail": "a@b" }));
    change(|task| task["scheduleTime"] = json!("2020-01-01T00:00:00Z"));
    change(|task| task["dispatchDeadline"] = json!("20s"));
    change(|task| task["name"] = json!(name_of("other", "t")));
    change(|task| task["name"] = Value::Null);
    for task in &tasks {
        check("q/tasks", json!({ "task": task }).to_string()).await;
        check("nothing/tasks", json!({ "task": task }).to_string()).await;
        check("q/tasks", json!({ "task": task, "responseView": "FULL" }).to_string()).await;
        let parent = format!("{PARENT}/queues/q");
        let batch = json!({ "requests": [{ "parent": parent, "task": to_worker() }, { "task": task }] });
        check("q/tasks:batchCreate", batch.to_string()).await;
    }
    for body in ["", "{}", "{\"task\":{}}", "[]", "{\"task\":", "{\"requests\":[]}", "{\"task\":{}}x"] {
        check("q/tasks", body.to_owned()).await;
        check("q/tasks:batchCreate", body.to_owned()).await;
    }
}
