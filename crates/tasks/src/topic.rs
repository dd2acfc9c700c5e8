//! Topics: a message published once reaches every subscription that wants it, through a queue of its own.
//!
//! - [`Topics`]: which tasks a message becomes (pure), and publishing.
//! - [`publish`]: the handler, in the shape of Pub/Sub's REST API.
//! - [`relay`]: from an application's outbox table to its topic.

pub mod publish;
pub mod relay;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use mare_manifest::model::topic::Pattern;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::{QueueName, Spec};
use crate::store::{Error, NewTask, Store};

/// The topics of a manifest. Cheap to clone.
#[derive(Clone)]
pub struct Topics {
    topics: Arc<BTreeMap<String, Topic>>,
    store: Arc<dyn Store>,
}

#[derive(Clone, Debug, Default)]
pub struct Topic {
    pub subscriptions: Vec<Subscription>,
    /// The attribute whose values take turns, so that one tenant's flood does not keep the others waiting.
    pub fair: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub name: String,
    pub queue: QueueName,
    /// Wants messages whose attribute `topic` fits one of these; all if there are none.
    pub only: Vec<Pattern>,
    /// `http://SERVICE.mare.internal/path`
    pub url: String,
    pub deadline: Duration,
}

#[derive(Clone, Debug)]
pub struct Message {
    /// Deterministic where the publisher can repeat itself: tasks are named after it.
    pub id: String,
    pub data: Bytes,
    pub attributes: BTreeMap<String, String>,
}

/// The body of a push: <https://cloud.google.com/pubsub/docs/push>.
#[derive(Serialize)]
struct Envelope<'a> {
    message: Inner<'a>,
    subscription: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner<'a> {
    data: String,
    attributes: &'a BTreeMap<String, String>,
    message_id: &'a str,
    publish_time: String,
}

impl Topics {
    pub fn new(store: Arc<dyn Store>, topics: BTreeMap<String, Topic>) -> Self {
        Self { topics: Arc::new(topics), store }
    }

    pub fn has(&self, topic: &str) -> bool {
        self.topics.contains_key(topic)
    }

    /// Publishes, in one durable write. A message published before, within the window of task names, is not
    /// delivered again.
    pub async fn publish(&self, topic: &str, messages: &[Message], now: Timestamp) -> Result<(), Error> {
        let Some(topic) = self.topics.get(topic) else { return Ok(()) };
        let tasks: Vec<NewTask> = messages.iter().flat_map(|message| topic.fan_out(message, now)).collect();
        for created in self.store.create(tasks).await {
            match created {
                Ok(_) | Err(Error::TaskExists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Topic {
    /// The tasks a message becomes.
    fn fan_out<'a>(&'a self, message: &'a Message, now: Timestamp) -> impl Iterator<Item = NewTask> + 'a {
        let kind = message.attributes.get("topic").map_or("", String::as_str);
        let wants = move |one: &&Subscription| {
            one.only.is_empty() || one.only.iter().any(|pattern| pattern.fits(kind))
        };
        let key = self.fair.as_ref().and_then(|name| message.attributes.get(name));
        let key = key.map_or_else(String::new, |key| bounded(key));
        self.subscriptions.iter().filter(wants).map(move |one| one.task(message, key.clone(), now))
    }
}

/// The longest fairness key, as in the tasks API.
const KEY_MAX: usize = 100;

fn bounded(key: &str) -> String {
    key.char_indices()
        .take_while(|(at, char)| at + char.len_utf8() <= KEY_MAX)
        .map(|(_, char)| char)
        .collect()
}

impl Subscription {
    fn task(&self, message: &Message, fairness_key: String, now: Timestamp) -> NewTask {
        let envelope = Envelope {
            message: Inner {
                data: STANDARD.encode(&message.data),
                attributes: &message.attributes,
                message_id: &message.id,
                publish_time: now.to_string(),
            },
            subscription: self.queue.as_str().replace("/queues/subscription-", "/subscriptions/"),
        };
        let body = serde_json::to_vec(&envelope).expect("text and maps of text serialize");
        NewTask {
            queue: self.queue.clone(),
            id: Some(task_id(&message.id)),
            schedule_time: None,
            spec: Spec { fairness_key, ..Spec::json(&self.url, body, self.deadline) },
        }
    }
}

/// The message's id where a task may be called so, else its hash.
fn task_id(message: &str) -> String {
    let fits = (1..=400).contains(&message.len())
        && message.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits {
        return format!("m-{message}");
    }
    let hash = Sha256::digest(message.as_bytes());
    hash.iter().fold("h-".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(name: &str, only: &[&str]) -> Subscription {
        let queue = format!("subscription-{name}");
        Subscription {
            name: name.to_owned(),
            queue: QueueName::below("projects/shop/locations/local", &queue).expect("a name"),
            only: only.iter().map(|text| Pattern::new(text)).collect(),
            url: format!("http://worker.mare.internal/{name}"),
            deadline: Duration::from_secs(600),
        }
    }

    fn message(kind: &str) -> Message {
        let attributes = [("topic", kind), ("tenant_id", "t1")];
        Message {
            id: "e1".to_owned(),
            data: Bytes::from_static(b"{}"),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    #[test]
    fn a_message_becomes_one_task_for_each_who_wants_it() {
        let topic = Topic {
            subscriptions: vec![
                subscription("all", &[]),
                subscription("orders", &["order.*"]),
                subscription("paid", &["order.paid", "invoice.paid"]),
            ],
            fair: Some("tenant_id".to_owned()),
        };
        let check = |kind, expected: &[&str]| {
            let tasks: Vec<NewTask> = topic.fan_out(&message(kind), Timestamp::UNIX_EPOCH).collect();
            let queues: Vec<&str> = tasks.iter().map(|task| task.queue.id()).collect();
            assert_eq!(queues, expected, "{kind}");
            assert!(tasks.iter().all(|task| task.id.as_deref() == Some("m-e1")));
            assert!(tasks.iter().all(|task| task.spec.fairness_key == "t1"));
        };
        check("order.paid", &["subscription-all", "subscription-orders", "subscription-paid"]);
        check("order.made", &["subscription-all", "subscription-orders"]);
        check("orders", &["subscription-all"]);
    }

    #[test]
    fn the_envelope_is_that_of_pub_sub() {
        let task = subscription("all", &[]).task(&message("a"), String::new(), Timestamp::UNIX_EPOCH);
        let body: serde_json::Value = serde_json::from_slice(&task.spec.request.body).expect("JSON");
        let expected = serde_json::json!({
            "message": { "data": "e30=", "attributes": { "tenant_id": "t1", "topic": "a" }, "messageId": "e1",
                "publishTime": "1970-01-01T00:00:00Z" },
            "subscription": "projects/shop/locations/local/subscriptions/all",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn tasks_are_named_after_their_message() {
        let check = |id: &str, expected: &str| assert_eq!(task_id(id), expected, "{id}");
        check("0192-ab_Z", "m-0192-ab_Z");
        check("a b", "h-c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65");
        assert_eq!(task_id(&"x".repeat(500)).len(), 66);
    }

    #[test]
    fn a_long_key_is_cut_at_a_character() {
        assert_eq!(bounded(&"é".repeat(60)).len(), 100);
        assert_eq!(bounded("short"), "short");
    }
}
