//! What the platform pushes: an event in the push envelope of Pub/Sub.

use std::collections::HashMap;

use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::actions::Error;
use crate::domain::member::{Caller, Role};

/// Something that happened, as an action wrote it into the outbox.
#[derive(Debug, Clone)]
pub struct Event {
    /// The id of its row.
    pub id: String,
    pub tenant: Uuid,
    pub topic: String,
    pub payload: Value,
    pub trace_id: String,
}

impl Event {
    /// The id its payload has under `name`.
    pub(super) fn id_of(&self, name: &str) -> Result<Uuid, Error> {
        let id = self.payload[name].as_str().and_then(|it| it.parse().ok());
        id.ok_or_else(|| Error::Internal(anyhow!("find {name} in the payload of {}", self.topic)))
    }

    /// Who acts on it: the worker, for the tenant.
    pub(super) fn caller(&self, now: Timestamp) -> Caller {
        let (tenant, trace_id) = (self.tenant, self.trace_id.clone());
        Caller { user: Uuid::nil(), tenant, role: Role::Member, now, trace_id }
    }
}

/// `POST` body: <https://cloud.google.com/pubsub/docs/push>.
#[derive(Debug, Deserialize)]
pub struct Push {
    message: Message,
}

#[derive(Debug, Deserialize)]
struct Message {
    /// Base64.
    data: String,
    #[serde(rename = "messageId")]
    id: String,
    #[serde(default)]
    attributes: HashMap<String, String>,
}

impl Push {
    pub fn into_event(self) -> anyhow::Result<Event> {
        let Message { data, id, mut attributes } = self.message;
        let mut take = |name: &str| attributes.remove(name).with_context(|| format!("find attribute {name}"));
        let data = STANDARD.decode(data).context("decode the data")?;
        let (tenant, topic) = (take("tenant_id")?, take("topic")?);
        if id.is_empty() {
            bail!("find the message's id");
        }
        Ok(Event {
            id,
            tenant: tenant.parse().context("read tenant_id")?,
            topic,
            payload: serde_json::from_slice(&data).context("read the payload")?,
            trace_id: take("trace_id").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_becomes_the_event_that_was_written() {
        let tenant = Uuid::now_v7();
        let data = STANDARD.encode(r#"{"transaction_id":"x"}"#);
        let push = serde_json::json!({
            "message": { "data": data, "messageId": "e1", "publishTime": "2026-11-21T10:00:00Z",
                "attributes": { "tenant_id": tenant, "topic": "transaction.created", "trace_id": "t" } },
            "subscription": "projects/valoriza/subscriptions/categorise", "deliveryAttempt": 1,
        });
        let push: Push = serde_json::from_value(push).expect("an envelope");
        let event = push.into_event().expect("an event");
        assert_eq!((event.id.as_str(), event.tenant), ("e1", tenant));
        assert_eq!((event.topic.as_str(), event.trace_id.as_str()), ("transaction.created", "t"));
        assert_eq!(event.payload["transaction_id"], "x");
    }
}
