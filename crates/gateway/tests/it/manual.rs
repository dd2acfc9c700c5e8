//! The user's pages.

use std::path::{Path, PathBuf};

#[test]
fn every_manifest_on_the_page_is_valid() {
    let page = include_str!("../../../../docs/gateway.md");
    let blocks: Vec<_> = page.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next()).collect();
    assert!(blocks.len() >= 3);
    for block in blocks.into_iter().flatten() {
        let loaded = mare_manifest::load(block, Path::new("gateway.md"), PathBuf::from("/a"), &|_| None);
        loaded.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[test]
fn every_page_the_page_points_to_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for page in ["gateway.md", "errors/README.md"] {
        let text = std::fs::read_to_string(docs.join(page)).expect("the page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = docs.join(page).parent().expect("a folder").join(link);
            assert!(target.exists(), "{page} points to {link}");
        }
    }
}
