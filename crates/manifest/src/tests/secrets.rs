//! What the environment gives appears in no mistake, whatever the mistake.

use super::read;
use crate::Colour;
use crate::grammar::sections::ROOT;
use crate::grammar::{Key, Kind};
use crate::tests::coverage::{manifest_with, walk};

#[test]
fn no_mistake_shows_an_interpolated_value() {
    // In every key: a value that almost everywhere is a mistake, and one that is wrong in the middle.
    let values =
        ["\"${SECRET}\"", "\"x${SECRET}\\u0000 ' |\"", "\"http://${SECRET}@x/?a\"", "\"/${SECRET}*/\""];
    let mut wrong = 0;
    let mut check = |section: &str, key: &Key| {
        for value in values {
            let source = manifest_with(section, key, value);
            let Err(mistakes) = read(&source) else { continue };
            let shown = format!(
                "{mistakes}{mistakes:?}{}{}",
                mistakes.render(Colour::Always),
                mistakes.render(Colour::Never)
            );
            assert!(!shown.contains("hunter2") && !shown.contains("Secret value"), "{shown}");
            wrong += 1;
        }
    };
    walk("", &ROOT, &mut |section, key| {
        if !matches!(key.kind, Kind::Table(_) | Kind::Named(_) | Kind::List(_)) {
            check(section, key);
        }
    });
    assert!(wrong > 100, "only {wrong} mistakes were made");
}

#[test]
fn the_model_shows_sources_only() {
    let source = r#"
        [databases.main]
        url = "${SECRET_URL}"
        [services.api]
        run = "api ${SECRET}"
        env = { KEY = "${SECRET}" }
        [alerts]
        webhook = "${SECRET_HOOK}"
        slack = "${SECRET_HOOK}"
        [auth]
        jwks = { url = "${SECRET_HOOK}" }
        issuer = "${SECRET_HOOK}"
        [[auth.keys]]
        algorithm = "HS256"
        secret = "${SECRET_HOOK}"
        [backends]
        postgres = "${SECRET_URL}"
    "#;
    let manifest = read(source).expect("valid");
    let shown = format!("{manifest:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("${SECRET_URL}"), "{shown}");
    let url = manifest.backends.postgres.expect("it is set");
    assert_eq!(url.reveal(), "postgres://admin:hunter2@db/main");
}
