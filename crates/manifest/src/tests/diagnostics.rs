//! What people see, whole.

mod auth;
mod browsers;
mod caching;
mod events;
mod grammar;
mod guards;
mod objectives;
mod queues;
mod routes;
mod services;

use std::fmt::Write as _;

use super::read;
use crate::Colour;

fn check(source: &str, expected: &str) {
    let mistakes = read(source).expect_err(source);
    assert_eq!(mistakes.to_string().trim_end(), expected.trim(), "{mistakes}");
}

#[test]
fn at_most_fifty_are_printed() {
    let mut source = String::new();
    for n in 0..53 {
        writeln!(source, "key{n} = 1").expect("a String takes everything");
    }
    let mistakes = read(&source).expect_err("nothing of it is known");
    assert_eq!(mistakes.count(), 53);
    let shown = mistakes.to_string();
    assert_eq!(shown.matches("error: ").count(), 50);
    assert!(shown.ends_with("\n\nand 3 more\n"), "{shown}");
}

#[test]
fn colours_are_there_when_asked_for() {
    let mistakes = read("x = 1").expect_err("nothing of it is known");
    assert!(mistakes.render(Colour::Always).contains('\u{1b}'));
    assert!(!mistakes.render(Colour::Never).contains('\u{1b}'));
}

#[test]
fn deep_nesting_is_a_mistake_and_no_crash() {
    for open in ["[", "{a="] {
        let mistakes = read(&format!("x = {}", open.repeat(20_000))).expect_err("it is not closed");
        assert!(mistakes.to_string().starts_with("error: "));
    }
}
