//! `CDN-Cache-Control` (RFC 9213).

use http::header::CDN_CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::directives::{Argument, Said};

/// The directives of the targeted field; `None` if it is absent, empty or malformed: then it is as if it were absent.
pub(super) fn read(response: &HeaderMap) -> Option<Said> {
    let text = joined(response)?;
    let directives = Parser::new(&text).parse::<Dictionary>().ok()?;
    if directives.is_empty() {
        return None;
    }
    let mut said = Said::default();
    for (name, entry) in &directives {
        let ListEntry::Item(item) = entry else {
            said.add(name.as_str(), Argument::Foreign);
            continue;
        };
        match &item.bare_item {
            BareItem::Boolean(true) => said.add(name.as_str(), Argument::Absent),
            BareItem::Integer(number) => said.add(name.as_str(), Argument::Text(&number.to_string())),
            // Only these two have strings (section 2.1).
            BareItem::String(text) if matches!(name.as_str(), "no-cache" | "private") => {
                said.add(name.as_str(), Argument::Text(text.as_str()));
            }
            _ => said.add(name.as_str(), Argument::Foreign),
        }
    }
    Some(said)
}

/// The field's lines as one value.
pub(super) fn joined(response: &HeaderMap) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = response.get_all(CDN_CACHE_CONTROL).iter().map(HeaderValue::as_bytes).collect();
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}
