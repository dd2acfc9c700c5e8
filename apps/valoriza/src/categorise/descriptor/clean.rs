//! Folds a wording and takes out what must not be kept.

pub(super) fn clean(text: &str) -> (String, Option<String>) {
    (crate::domain::text::fold(text), None)
}
