//! The user's pages.

use std::path::{Path, PathBuf};

#[test]
fn every_manifest_on_a_page_is_valid() {
    let pages = [
        include_str!("../../../../docs/gateway.md"),
        include_str!("../../../../docs/guards.md"),
        include_str!("../../../../docs/auth.md"),
    ];
    for (page, least) in pages.into_iter().zip([3, 2, 1]) {
        let blocks = page.split("\n```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
        assert!(blocks.clone().count() >= least);
        for block in blocks {
            let loaded = mare_manifest::load(block, Path::new("a page"), PathBuf::from("/a"), &|_| None);
            loaded.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        }
    }
}

#[test]
fn every_page_that_a_page_points_to_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for page in ["gateway.md", "guards.md", "auth.md", "errors/README.md", "errors/token-invalid.md"] {
        let text = std::fs::read_to_string(docs.join(page)).expect("the page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let target = docs.join(page).parent().expect("a folder").join(link);
            assert!(target.exists(), "{page} points to {link}");
        }
    }
}
