use serde_json::{Map, Value, json};

use super::{Line, Stream};
use crate::log::Format;

/// One printed line with its end.
pub(super) fn line(format: Format, line: &Line) -> String {
    match format {
        Format::Pretty => plain(line),
        Format::Json => object(line).to_string() + "\n",
    }
}

pub(super) fn plain(line: &Line) -> String {
    format!("{} | {}\n", line.instance, line.text)
}

/// A line that is a JSON object passes through, with service and instance added where it has none of its own.
fn object(line: &Line) -> Value {
    let mut fields = match serde_json::from_str::<Map<String, Value>>(&line.text) {
        Ok(fields) => fields,
        Err(_plain_text) => {
            let stream = match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let now = jiff::Timestamp::now().to_string();
            let entries = [("timestamp", now.as_str()), ("message", line.text.as_str()), ("stream", stream)];
            entries.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect()
        }
    };
    for (name, value) in [("service", &line.service), ("instance", &line.instance)] {
        fields.entry(name).or_insert_with(|| json!(**value));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Line {
        Line {
            service: "api".into(),
            instance: "api-1".into(),
            stream: Stream::Stderr,
            text: text.to_owned(),
        }
    }

    #[test]
    fn json_lines_pass_through_with_their_origin() {
        let value = object(&written(r#"{"level":"INFO","service":"mine"}"#));
        assert_eq!(value, json!({"level": "INFO", "service": "mine", "instance": "api-1"}));
    }

    #[test]
    fn other_lines_become_messages() {
        for text in ["hello", "", "[1,2]", "{broken"] {
            let value = object(&written(text));
            assert_eq!(value["message"], text);
            assert_eq!(value["stream"], "stderr");
            assert_eq!(value["service"], "api");
        }
    }

    #[test]
    fn people_see_the_instance_first() {
        assert_eq!(line(Format::Pretty, &written("hello")), "api-1 | hello\n");
    }
}
