//! "Did you mean …?"

/// Longer names are not compared: that is quadratic, and the text is anybody's.
const LENGTH_MAX: usize = 64;

/// From here on two names begin alike (Jaro-Winkler): `scaling` and `scale`. clap takes 0.7; among few keys a
/// wrong suggestion costs more than none.
const ALIKE: f64 = 0.85;

/// The known name most like the written one, if any is alike enough: a typing error for every three letters,
/// as rustc allows, or the same beginning.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LENGTH_MAX {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let errors = strsim::damerau_levenshtein(&written, &lower);
            let alike = strsim::jaro_winkler(&written, &lower);
            let near = errors <= written.len().max(3) / 3 || alike >= ALIKE;
            (near, errors, name)
        })
        .filter(|(near, ..)| *near)
        .min_by_key(|(_, errors, _)| *errors)
        .map(|(.., name)| name)
}

/// The same as a sentence for a mistake's help.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(written, known).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_close() {
        let known = ["api", "web", "scale", "service", "database"];
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(closest(written, known), expected, "{written}");
        };
        check("wbe", Some("web"));
        check("Services", Some("service"));
        check("scaling", Some("scale"));
        check("data", Some("database"));
        check("queue", None);
        check("", None);
        check(&"api".repeat(100), None);
    }
}
