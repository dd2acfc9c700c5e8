//! Serves a folder: the `files` routes.
//!
//! A request goes through pure decisions in this order, each in a file of its own: which name it asks for (`path`),
//! what is there (`cache`, and on a miss `disk`), which variant suits the client (`coding`), whether it needs it
//! (`conditions`), which part (`range`); `answer` joins them. Start at [`Folder::respond`].
//!
//! - Small files are kept in memory and believed for about a second; such a hit makes no system call. Larger ones
//!   are read on the blocking pool while they are sent (`body`). The async threads never block.
//! - A file `app.js` may have precompressed siblings `app.js.br`, `app.js.zst`, `app.js.gz`. They are believed to
//!   hold the same content, whatever their dates: whoever writes one writes all.
//! - Several ranges in one request are answered with the whole file, as RFC 9110 section 14.2 allows.
//! - What this does not do: list folders, compress, log. Errors other than 304, 308, 412 and 416 are the gateway's
//!   to word, and those four have no body.

mod answer;
mod asset;
mod body;
mod cache;
mod coding;
mod conditions;
mod disk;
mod naming;
mod path;
mod range;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use http::header::ACCEPT;
use http::{HeaderMap, Method, Response};
use tokio::task::spawn_blocking;

pub use body::Body;

use answer::Verb;
use asset::{Content, Variant};
use body::Reading;
use cache::{Cache, Entry, Lookup};
use disk::Found;

/// How often a large file that is replaced between the look at it and its opening is looked at again.
const OPEN_ATTEMPTS: usize = 3;

/// Why there is no file to answer with.
#[derive(Debug)]
pub enum Missing {
    NotFound,
    /// A folder has GET and HEAD.
    MethodNotAllowed,
    /// The disk failed: the platform's fault, and worth a line in the log.
    Unreadable(io::Error),
}

/// A folder and the files of it that are in memory. Cheap to clone; clones share the memory.
#[derive(Clone, Debug)]
pub struct Folder {
    shared: Arc<Shared>,
    fallback: Fallback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fallback {
    None,
    /// Unknown pages are the single-page application's.
    Index,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    cache: Cache,
}

impl Folder {
    /// `spa`: navigations to unknown paths get the root's index.html.
    pub fn new(root: PathBuf, spa: bool) -> Self {
        let fallback = if spa { Fallback::Index } else { Fallback::None };
        Self { shared: Arc::new(Shared { root, cache: Cache::new() }), fallback }
    }

    /// Answers a request for `path`: the request's path below the route's own prefix, still percent-encoded,
    /// without the query, starting with `/`.
    ///
    /// A 308 has a Location relative to the request's URI (`./docs/`); the query, if there is one, is the caller's
    /// to append.
    pub async fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Missing> {
        let verb = match *method {
            Method::GET => Verb::Get,
            Method::HEAD => Verb::Head,
            _ => return Err(Missing::MethodNotAllowed),
        };
        let path = path::decode(path).ok_or(Missing::NotFound)?;
        for _ in 0..OPEN_ATTEMPTS {
            let (entry, key, is_fallback) = match self.find(&path).await? {
                Found::Asset(entry) => (entry, &*path, false),
                Found::Folder => {
                    return Ok(answer::moved(&path::with_slash(&path)).map(|()| Body::empty()));
                }
                Found::Nothing => (self.index_for(&path, headers).await?, "/", true),
            };
            let variant = entry.asset.select(headers);
            let mut answer = answer::decide(verb, headers, variant);
            if is_fallback {
                answer::vary_by_accept(answer.head.headers_mut());
            }
            if let Some(body) = self.body(variant, answer.part).await? {
                return Ok(answer.head.map(|()| body));
            }
            self.shared.cache.forget(key);
        }
        Err(Missing::Unreadable(io::Error::other("the file kept changing while it was opened")))
    }

    /// What `path` names, from memory or from the disk.
    async fn find(&self, path: &str) -> Result<Found<Arc<Entry>>, Missing> {
        let stale = match self.shared.cache.look_up(path) {
            Lookup::Fresh(entry) => return Ok(Found::Asset(entry)),
            Lookup::Stale(entry) => Some(entry),
            Lookup::Absent => None,
        };
        let Some(relative) = path::relative(path) else { return Ok(Found::Nothing) };
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        blocking(move || shared.refresh(&path, &relative, stale)).await
    }

    /// The application's index, if `path` may be one of its pages and the client navigates.
    async fn index_for(&self, path: &str, headers: &HeaderMap) -> Result<Arc<Entry>, Missing> {
        let may_be_a_page =
            self.fallback == Fallback::Index && path::relative(path).is_some() && path::is_page(path);
        if !may_be_a_page || !is_navigation(headers) {
            return Err(Missing::NotFound);
        }
        match self.find("/").await? {
            Found::Asset(entry) => Ok(entry),
            Found::Folder | Found::Nothing => Err(Missing::NotFound),
        }
    }

    /// The bytes `part` of a variant; None if the file on disk is no longer that variant.
    async fn body(&self, variant: &Variant, part: Range<u64>) -> Result<Option<Body>, Missing> {
        if part.is_empty() {
            return Ok(Some(Body::empty()));
        }
        if let Content::Memory(content) = &variant.content {
            let index = |at: u64| usize::try_from(at).expect("content in memory is addressable");
            return Ok(Some(Body::memory(content.slice(index(part.start)..index(part.end)))));
        }
        let (shared, relative, stamp) = (Arc::clone(&self.shared), variant.relative.clone(), variant.stamp);
        blocking(move || match disk::open_file(&shared.root, &relative)? {
            Some((file, now)) if now == stamp => {
                Reading::start(file, stamp, part).map(|it| Some(Body::disk(it)))
            }
            Some(_) | None => Ok(None),
        })
        .await
    }
}

impl Shared {
    /// Blocks: looks at the disk and brings the memory in line with it, even if nobody waits for the answer any more.
    fn refresh(
        &self,
        path: &str,
        relative: &str,
        stale: Option<Arc<Entry>>,
    ) -> io::Result<Found<Arc<Entry>>> {
        let at_ms = self.cache.now_ms();
        if let Some(entry) = stale
            && disk::is_unchanged(&self.root, relative, &entry.asset)?
        {
            Cache::confirm(&entry, at_ms);
            return Ok(Found::Asset(entry));
        }
        Ok(match disk::load(&self.root, relative)? {
            Found::Asset(asset) => Found::Asset(self.cache.keep(path, asset, at_ms)),
            Found::Folder => {
                self.cache.forget(path);
                Found::Folder
            }
            Found::Nothing => {
                self.cache.forget(path);
                Found::Nothing
            }
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Missing> {
    spawn_blocking(work)
        .await
        .map_err(io::Error::other)
        .and_then(|outcome| outcome)
        .map_err(Missing::Unreadable)
}

/// Whether a browser asks for a page, and not a script for data.
fn is_navigation(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.to_ascii_lowercase().contains("text/html"))
}
