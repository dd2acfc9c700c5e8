//! Field masks of updates.

use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};

use super::fault::Fault;
use crate::proto::{DESCRIPTORS, v2};

/// Set by the service; named in a mask they are passed over.
const OUTPUT_ONLY: [&str; 4] = ["name", "state", "purge_time", "rate_limits.max_burst_size"];

/// `current` with the fields that `paths` name as they are in `wanted`.
pub(super) fn merge(current: &v2::Queue, wanted: &v2::Queue, paths: &[String]) -> Result<v2::Queue, Fault> {
    let descriptor =
        DESCRIPTORS.get_message_by_name("google.cloud.tasks.v2.Queue").expect("it is in our .proto");
    let reflect = |queue: &v2::Queue| {
        let mut message = DynamicMessage::new(descriptor.clone());
        message.transcode_from(queue).map(|()| message)
    };
    let broken = |error| Fault::invalid(format!("The queue cannot be read: {error}"));
    let (mut merged, wanted) = (reflect(current).map_err(broken)?, reflect(wanted).map_err(broken)?);
    for path in paths.iter().filter(|path| !OUTPUT_ONLY.contains(&path.as_str())) {
        let unknown =
            || Fault::invalid(format!("The update mask names `{path}`, which a queue does not have."));
        set(&mut merged, &wanted, path).ok_or_else(unknown)?;
    }
    merged.transcode_to().map_err(broken)
}

/// As deep as the path; `None` if there is no such field.
fn set(to: &mut DynamicMessage, from: &DynamicMessage, path: &str) -> Option<()> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = to.descriptor().get_field_by_name(name)?;
    let Some(rest) = rest else {
        if from.has_field(&field) {
            to.set_field(&field, from.get_field(&field).into_owned());
        } else {
            to.clear_field(&field);
        }
        return Some(());
    };
    if !matches!(field.kind(), Kind::Message(_)) || field.is_list() {
        return None;
    }
    let from = from.get_field(&field);
    match (to.get_field_mut(&field), &*from) {
        (Value::Message(to), Value::Message(from)) => set(to, from, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_changes_what_it_names() {
        let queue = |rate, attempts| v2::Queue {
            name: "q".to_owned(),
            rate_limits: Some(v2::RateLimits { max_dispatches_per_second: rate, ..Default::default() }),
            retry_config: Some(v2::RetryConfig { max_attempts: attempts, ..Default::default() }),
            ..Default::default()
        };
        let check = |paths: &[&str], expected: Option<v2::Queue>| {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            assert_eq!(merge(&queue(1.0, 1), &queue(2.0, 2), &paths).ok(), expected, "{paths:?}");
        };
        check(&["rate_limits"], Some(queue(2.0, 1)));
        check(&["rate_limits.max_dispatches_per_second"], Some(queue(2.0, 1)));
        check(&["rate_limits", "retry_config.max_attempts"], Some(queue(2.0, 2)));
        check(&["state", "name", "rate_limits.max_burst_size"], Some(queue(1.0, 1)));
        check(&["http_target"], Some(queue(1.0, 1)));
        check(
            &["http_target.uri_override.host"],
            Some(v2::Queue {
                http_target: Some(v2::HttpTarget {
                    uri_override: Some(v2::UriOverride::default()),
                    ..Default::default()
                }),
                ..queue(1.0, 1)
            }),
        );
        check(&["nonsense"], None);
        check(&["rate_limits.nonsense"], None);
        check(&["name.nonsense"], None);
        check(&[""], None);
    }
}
