use std::path::Path;

#[test]
fn the_committed_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    let current = valoriza::http::document().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == current,
        "openapi.json is stale; write it anew: cargo run -p valoriza -- openapi > apps/valoriza/openapi.json"
    );
}

const OTHER_WORDS: [&str; 1] = ["type"];

#[test]
fn every_problem_code_is_in_the_user_page() {
    let page = include_str!("../../../../docs/valoriza.md");
    let code = include_str!("../../src/http/problem.rs").to_owned() + include_str!("../../src/http/body.rs");
    let snake = |it: &&str| it.len() > 3 && it.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    // A quoted word in snake_case is a code; the words that are not are named here.
    let codes: Vec<&str> =
        code.split('"').skip(1).step_by(2).filter(snake).filter(|it| !OTHER_WORDS.contains(it)).collect();
    assert!(codes.len() > 20, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|it| !page.contains(&format!("`{it}`"))).collect();
    assert!(missing.is_empty(), "describe in docs/valoriza.md: {missing:?}");
}
