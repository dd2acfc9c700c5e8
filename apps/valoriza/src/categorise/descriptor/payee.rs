//! Who is at the other end.

pub(super) fn of(text: &str) -> String {
    text.to_owned()
}
