//! The folder on disk. Every function here blocks: they run on the blocking pool.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open as open_path};
use rustix::io::Errno;

use super::asset::{Asset, Content, Stamp, Stored};
use super::coding::Coding;
use super::path::INDEX;

/// The largest content kept in memory, large enough for what a web application loads. Measured against nginx with
/// `sendfile` and `open_file_cache` (2 cores, 64 connections), CPU per request: from memory 0.66 for 1 KiB, 1.0 for
/// 100 KiB, 1.2 for 500 KiB; read from the disk for each request 2.6 for 500 KiB.
pub(super) const MEMORY_LEN_MAX: u64 = 512 * 1024;

/// How often a file that changes under the reader is read again before that is an error.
const READ_ATTEMPTS: usize = 3;

/// NONBLOCK: opening a FIFO that nobody writes to must not hang. It means nothing for files.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// What a name below the root is.
#[derive(Debug)]
pub(super) enum Found<A> {
    Asset(A),
    /// A folder with an index in it, named without the final slash.
    Folder,
    Nothing,
}

/// Reads the file `relative` and its precompressed siblings.
pub(super) fn load(root: &Path, relative: &str) -> io::Result<Found<Asset>> {
    let Some((file, metadata)) = open(root, relative)? else { return Ok(Found::Nothing) };
    if metadata.is_dir() {
        let index = open(root, &format!("{relative}/{INDEX}"))?;
        let has_index = index.is_some_and(|(_, metadata)| metadata.is_file());
        return Ok(if has_index { Found::Folder } else { Found::Nothing });
    }
    drop(file);
    let mut stored = Vec::with_capacity(1);
    for coding in Coding::ALL {
        stored.extend(read_variant(root, relative, coding)?);
    }
    // Siblings without the file itself are not an offer.
    if stored.last().is_none_or(|last: &Stored| last.coding != Coding::Identity) {
        return Ok(Found::Nothing);
    }
    Asset::new(relative, stored, SystemTime::now()).map(Found::Asset)
}

/// Whether the disk still has exactly what `asset` was made from. `relative` is the file's own name.
pub(super) fn is_unchanged(root: &Path, relative: &str, asset: &Asset) -> io::Result<bool> {
    for coding in Coding::ALL {
        let now = open_file(root, &format!("{relative}{}", coding.suffix()))?.map(|(_, stamp)| stamp);
        let then =
            asset.variants().iter().find(|variant| variant.coding == coding).map(|variant| variant.stamp);
        if now != then {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Opens a regular file; None where there is none.
pub(super) fn open_file(root: &Path, relative: &str) -> io::Result<Option<(File, Stamp)>> {
    let found = open(root, relative)?.filter(|(_, metadata)| metadata.is_file());
    Ok(found.map(|(file, metadata)| (file, Stamp::of(&metadata))))
}

fn read_variant(root: &Path, relative: &str, coding: Coding) -> io::Result<Option<Stored>> {
    let relative = format!("{relative}{}", coding.suffix());
    for _ in 0..READ_ATTEMPTS {
        let Some((file, stamp)) = open_file(root, &relative)? else { return Ok(None) };
        if stamp.len > MEMORY_LEN_MAX {
            return Ok(Some(Stored { coding, stamp, content: Content::Disk }));
        }
        let mut content = Vec::with_capacity(usize::try_from(stamp.len).map_err(io::Error::other)?);
        (&file).take(stamp.len).read_to_end(&mut content)?;
        if content.len() as u64 == stamp.len && Stamp::of(&file.metadata()?) == stamp {
            return Ok(Some(Stored { coding, stamp, content: Content::Memory(Bytes::from(content)) }));
        }
    }
    Err(io::Error::other("the file kept changing while it was read"))
}

/// Opens whatever `relative` is; None where nothing may be served under that name. That the root itself cannot be
/// opened is an error: then no name says anything.
fn open(root: &Path, relative: &str) -> io::Result<Option<(File, std::fs::Metadata)>> {
    match open_beneath(root, relative)? {
        Ok(handle) => {
            let file = File::from(handle);
            let metadata = file.metadata()?;
            Ok(Some((file, metadata)))
        }
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::ACCESS
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::XDEV // a link that leaves the root
            | Errno::NXIO, // a socket
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens `relative` without leaving `root`, whatever links there are and however they change meanwhile: the kernel
/// checks each step (openat2(2), Linux 5.6). The outer error is about the root.
///
/// Links are followed as long as they stay inside; an absolute one counts as leaving.
#[cfg(target_os = "linux")]
fn open_beneath(root: &Path, relative: &str) -> io::Result<Result<OwnedFd, Errno>> {
    use rustix::fs::{ResolveFlags, openat2};

    /// The kernel asks to try again when it cannot tell because of a rename at the same time.
    const RENAME_ATTEMPTS: usize = 16;

    let folder = open_path(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..RENAME_ATTEMPTS {
        match openat2(&folder, relative, FLAGS, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS) => return open_canonical(root, relative),
            opened => return Ok(opened),
        }
    }
    Ok(Err(Errno::AGAIN))
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(root: &Path, relative: &str) -> io::Result<Result<OwnedFd, Errno>> {
    open_canonical(root, relative)
}

/// The same where the kernel has no such call (macOS, gVisor): resolves first, then opens. Between the two somebody
/// who may write to the folder can swap a folder for a link; only openat2 closes that gap.
pub(super) fn open_canonical(root: &Path, relative: &str) -> io::Result<Result<OwnedFd, Errno>> {
    let root = root.canonicalize()?;
    let target = match root.join(relative).canonicalize() {
        Ok(target) => target,
        Err(error) => return Ok(Err(Errno::from_io_error(&error).unwrap_or(Errno::NOENT))),
    };
    if !target.starts_with(&root) {
        return Ok(Err(Errno::XDEV));
    }
    Ok(open_path(&target, FLAGS | OFlags::NOFOLLOW, Mode::empty()))
}
