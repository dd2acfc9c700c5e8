//! A proposed category as it is stored, with transactions and with rows of imports.

use crate::db::{Error, Row, Value};
use crate::domain::categorised::{Confidence, Suggestion};

/// Reads the columns `suggested_…` of a row.
pub fn read(row: &Row) -> Result<Option<Suggestion>, Error> {
    let Some(category_id) = row.get("suggested_category_id")? else { return Ok(None) };
    Ok(Some(Suggestion {
        category_id,
        confidence: Confidence::from_stored(row.get("suggested_confidence")?),
        source: row.parse("suggested_source")?,
        reason: row.get("suggested_reason")?,
    }))
}

/// What is stored: category, confidence, source, reason.
pub fn values(suggestion: Option<&Suggestion>) -> [Value; 4] {
    [
        Value::Id(suggestion.map(|it| it.category_id)),
        Value::Int(suggestion.map(|it| it.confidence.stored())),
        Value::Text(suggestion.map(|it| it.source.as_str().to_owned())),
        Value::Text(suggestion.map(|it| it.reason.clone())),
    ]
}
