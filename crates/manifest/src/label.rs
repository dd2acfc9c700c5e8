//! Names that become host names and metric labels as they are.

/// Kubernetes allows 63 (RFC 1123); the rest is room for what it appends to a pod's name.
pub(crate) const LENGTH_MAX: usize = 40;

pub(crate) const RULE: &str =
    "a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -";

pub(crate) fn is_label(name: &str) -> bool {
    name.len() <= LENGTH_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The closest valid name, or `None` when nothing usable is left.
pub(crate) fn from(text: &str) -> Option<String> {
    let mut label = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !label.is_empty()) {
            label.push(c);
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
        if label.len() == LENGTH_MAX {
            break;
        }
    }
    let label = label.trim_end_matches('-');
    is_label(label).then(|| label.to_owned())
}

/// The rule, and a name that follows it.
pub(crate) fn with_example(label: &str) -> String {
    format!("{RULE}; for example `{label}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_becomes_a_label() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(from(text).as_deref(), expected, "{text}");
        check("valoriza", Some("valoriza"));
        check("My Shop (v2)", Some("my-shop-v2"));
        check("2024_report.final", Some("report-final"));
        check("São Paulo", Some("s-o-paulo"));
        check("123", None);
        check("", None);
        check(&"x-".repeat(40), Some(&"x-".repeat(20)[..39]));
    }
}
