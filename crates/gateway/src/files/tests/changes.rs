//! Files that change while they are served.

use std::fs::{File, remove_file, rename, write};
use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;

use super::super::{Folder, Missing, body, cache};
use super::{collect, fixture, get, large, put};

async fn text(folder: &Folder, path: &str) -> String {
    match get(folder, path, &[]).await {
        Ok(answer) => String::from_utf8_lossy(answer.body()).into_owned(),
        Err(missing) => format!("{missing:?}"),
    }
}

/// Lets the memory's clock pass the time an entry is believed.
async fn outlive_freshness() {
    tokio::time::pause();
    tokio::time::advance(cache::FRESH).await;
    tokio::time::resume();
}

#[tokio::test]
async fn memory_is_believed_for_a_second_and_then_compared() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    tokio::time::pause();
    assert_eq!(text(&folder, "/a.txt").await, "0123456789");
    put(root.path(), "a.txt", b"changed");
    assert_eq!(text(&folder, "/a.txt").await, "0123456789", "no look at the disk yet");
    tokio::time::advance(cache::FRESH).await;
    assert_eq!(text(&folder, "/a.txt").await, "changed");
    remove_file(root.path().join("a.txt")).unwrap();
    tokio::time::advance(cache::FRESH).await;
    assert_eq!(text(&folder, "/a.txt").await, "NotFound");
}

#[tokio::test]
async fn a_file_renamed_over_another_is_seen_even_with_equal_date_and_length() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    assert_eq!(text(&folder, "/a.txt").await, "0123456789");
    put(root.path(), "new.txt", b"9876543210");
    rename(root.path().join("new.txt"), root.path().join("a.txt")).unwrap();
    outlive_freshness().await;
    assert_eq!(text(&folder, "/a.txt").await, "9876543210");
}

#[tokio::test]
async fn a_new_sibling_is_seen() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    let brotli = [("accept-encoding", "br")];
    assert_eq!(get(&folder, "/a.txt", &brotli).await.unwrap().body().as_ref(), b"0123456789");
    put(root.path(), "a.txt.br", b"br");
    outlive_freshness().await;
    assert_eq!(get(&folder, "/a.txt", &brotli).await.unwrap().body().as_ref(), b"br");
}

/// Its date may not change with its next content.
#[tokio::test]
async fn a_file_written_just_now_is_not_kept() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    write(root.path().join("a.txt"), b"one").unwrap();
    assert_eq!(text(&folder, "/a.txt").await, "one");
    write(root.path().join("a.txt"), b"two").unwrap();
    assert_eq!(text(&folder, "/a.txt").await, "two");
}

#[tokio::test]
async fn a_large_file_is_streamed_whole_and_in_part() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    let expected = large();
    assert_eq!(get(&folder, "/large.bin", &[]).await.unwrap().body(), &expected);
    let part = get(&folder, "/large.bin", &[("range", "bytes=1000-200000")]).await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.body(), &expected[1000..=200_000]);
    put(root.path(), "large.bin", &expected[1..]);
    assert_eq!(get(&folder, "/large.bin", &[]).await.unwrap().body(), &expected[1..], "the look at opening");
}

/// Takes the first chunk of the large file, lets `change` happen, and gives what the rest comes to.
async fn streamed_across(change: impl FnOnce(&Path)) -> Result<Bytes, std::io::Error> {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    let answer = folder.respond(&Method::GET, "/large.bin", &HeaderMap::new()).await.unwrap();
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap()?.into_data().unwrap();
    assert_eq!(first.len() as u64, body::CHUNK_LEN);
    change(&root.path().join("large.bin"));
    collect(body).await
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_cuts_the_answer() {
    let shrink = |path: &Path| File::options().write(true).open(path).unwrap().set_len(200_000).unwrap();
    assert!(streamed_across(shrink).await.is_err());
    let grow = |path: &Path| File::options().write(true).open(path).unwrap().set_len(900_000).unwrap();
    assert!(streamed_across(grow).await.is_err());
    let rewrite = |path: &Path| write(path, vec![b'x'; large().len()]).unwrap();
    assert!(streamed_across(rewrite).await.is_err());
}

#[tokio::test]
async fn a_file_that_is_replaced_or_removed_while_it_is_sent_is_sent_to_its_end() {
    let rest = large().len() - usize::try_from(body::CHUNK_LEN).unwrap();
    assert_eq!(streamed_across(|path| remove_file(path).unwrap()).await.unwrap().len(), rest);
}

#[tokio::test]
async fn requests_at_once_agree() {
    let root = fixture();
    let folder = Folder::new(root.path().to_owned(), false);
    for _ in 0..3 {
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let folder = folder.clone();
            asked.spawn(async move { text(&folder, "/a.txt").await });
        }
        assert!(asked.join_all().await.iter().all(|answer| answer == "0123456789"));
        outlive_freshness().await;
    }
    assert!(matches!(get(&folder, "/b.txt", &[]).await, Err(Missing::NotFound)));
}
