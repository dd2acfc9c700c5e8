//! Nothing outside of the root is ever served.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use rustix::io::Errno;
use tempfile::TempDir;

use super::super::{Folder, Missing, disk, path};
use super::{get, put};

const SECRET: &[u8] = b"secret";

/// A folder `root` beside a secret, with links of every kind.
fn fixture() -> TempDir {
    let outside = TempDir::new().unwrap();
    let root = outside.path().join("root");
    put(outside.path(), "secret.txt", SECRET);
    put(outside.path(), "root-twin/secret.txt", SECRET);
    put(&root, "a/b/inside.txt", b"inside");
    put(&root, "index.html", b"home");
    symlink("../secret.txt", root.join("out.txt")).unwrap();
    symlink(outside.path().join("secret.txt"), root.join("absolute.txt")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("../root-twin", root.join("twin")).unwrap();
    symlink("../../..", root.join("a/b/far")).unwrap();
    symlink("b/inside.txt", root.join("a/link.txt")).unwrap();
    symlink("b", root.join("a/folder")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    outside
}

#[tokio::test]
async fn links_are_followed_only_inside() {
    let outside = fixture();
    let folder = Folder::new(outside.path().join("root"), false);
    for path in ["/a/link.txt", "/a/folder/inside.txt", "/a/b/inside.txt"] {
        assert_eq!(get(&folder, path, &[]).await.unwrap().body().as_ref(), b"inside", "{path}");
    }
    for path in
        ["/out.txt", "/absolute.txt", "/up/secret.txt", "/twin/secret.txt", "/a/b/far/secret.txt", "/loop"]
    {
        assert!(matches!(get(&folder, path, &[]).await, Err(Missing::NotFound)), "{path}");
    }
}

#[test]
fn the_portable_opening_refuses_the_same_links() {
    let outside = fixture();
    let root = outside.path().join("root");
    assert!(disk::open_canonical(&root, "a/link.txt").unwrap().is_ok());
    for relative in ["out.txt", "absolute.txt", "up/secret.txt", "twin/secret.txt", "a/b/far/secret.txt"] {
        assert_eq!(disk::open_canonical(&root, relative).unwrap().unwrap_err(), Errno::XDEV, "{relative}");
    }
    assert_eq!(disk::open_canonical(&root, "loop").unwrap().unwrap_err(), Errno::LOOP);
}

#[tokio::test]
async fn what_is_not_a_file_is_not_found_and_never_waited_for() {
    let outside = fixture();
    let root = outside.path().join("root");
    let _listener = UnixListener::bind(root.join("socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let folder = Folder::new(root, false);
    for path in ["/socket", "/pipe", &format!("/{}", "x".repeat(5000)), &"/x".repeat(3000)] {
        let answer = tokio::time::timeout(Duration::from_secs(30), get(&folder, path, &[])).await;
        assert!(matches!(answer, Ok(Err(Missing::NotFound))), "{path}");
    }
}

#[tokio::test]
async fn a_missing_root_is_not_the_clients_fault() {
    let outside = fixture();
    let folder = Folder::new(outside.path().join("nowhere"), true);
    assert!(matches!(get(&folder, "/", &[]).await, Err(Missing::Unreadable(_))));
}

/// Pieces that hostile paths are made of, and the names that exist.
fn hostile_path() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "/",
        "/",
        "/",
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%252e",
        "%2f",
        "%5c",
        "\\",
        "%00",
        "%c0%ae",
        "a",
        "b",
        "up",
        "twin",
        "far",
        "out.txt",
        "absolute.txt",
        "secret.txt",
        "inside.txt",
        "root-twin",
        "root",
        "index.html",
        "~",
        ":",
        "?",
        "%",
        "etc/passwd",
        "//",
        ".well-known",
        "\u{2025}",
        "...",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_path_yields_the_secret(requested in hostile_path(), navigates in any::<bool>()) {
        let outside = fixture();
        let folder = Folder::new(outside.path().join("root"), true);
        let accept = if navigates { "text/html" } else { "*/*" };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(get(&folder, &requested, &[("accept", accept)])) {
            Ok(answer) => {
                let body = answer.body().as_ref();
                prop_assert!(body.is_empty() || body == b"inside" || body == b"home", "{requested}");
                if let Some(location) = answer.headers().get("location") {
                    let location = location.to_str().unwrap();
                    prop_assert!(location.starts_with("./") && !location[2..].starts_with('/'), "{location}");
                }
            }
            Err(missing) => prop_assert!(matches!(missing, Missing::NotFound), "{missing:?} for {requested}"),
        }
    }

    #[test]
    fn a_name_never_climbs(requested in prop_oneof![hostile_path(), "/\\PC{0,40}"]) {
        let relative = path::decode(&requested).and_then(|decoded| path::relative(&decoded));
        if let Some(relative) = relative {
            prop_assert!(!relative.starts_with('/') && !relative.contains(['\\', '\0']), "{relative}");
            prop_assert!(relative.split('/').all(|it| !it.is_empty() && it != "." && it != ".."), "{relative}");
        }
    }
}
