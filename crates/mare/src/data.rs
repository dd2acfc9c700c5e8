//! The data directory: locked by one mare, and where others find it.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use serde::{Deserialize, Serialize};

use crate::Usage;

/// A data directory nobody else uses as long as this lives.
#[derive(Debug)]
pub(crate) struct Data {
    folder: PathBuf,
    _lock: File,
}

/// What a running mare notes for `mare status` and others.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// Locked as POSIX locks a record, not with `flock`: others can ask whether it is without taking it themselves. Such
/// a lock ends with the process, and as soon as the process closes any handle to the file.
const LOCK: &str = "lock";
const RUNNING: &str = "running.json";
const ADMIN_TOKEN: &str = "admin-token";
const SERVICE_TOKEN: &str = "service-token";

impl Data {
    pub(crate) fn lock(folder: &Path) -> Result<Self> {
        let open = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let folder = folder.canonicalize()?;
            let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
            std::io::Result::Ok((folder, lock))
        };
        let (folder, lock) = open().map_err(|error| {
            Usage(format!(
                "cannot use the data directory {}: {error}; name another with --data",
                folder.display()
            ))
        })?;
        if let Err(error) = fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
            // POSIX leaves it to the system which of the two it is.
            if !matches!(error, Errno::AGAIN | Errno::ACCESS) {
                return Err(Usage(format!(
                    "cannot lock {}: {error}; name another with --data",
                    folder.display()
                ))
                .into());
            }
            let who = running(&folder).map(|other| format!(" (pid {})", other.pid)).unwrap_or_default();
            let message =
                format!("another mare{who} uses {}; stop it, or name another with --data", folder.display());
            return Err(Usage(message).into());
        }
        let data = Self { folder, _lock: lock };
        data.forget();
        Ok(data)
    }

    /// The file of an embedded database.
    pub(crate) fn database(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join("databases");
        fs::create_dir_all(&folder)?;
        Ok(folder.join(format!("{name}.sqlite3")))
    }

    /// The file of the embedded store of tasks.
    pub(crate) fn tasks(&self) -> PathBuf {
        self.folder.join("tasks.sqlite3")
    }

    /// The key that signs the identity of tasks.
    pub(crate) fn identity_key(&self) -> PathBuf {
        self.folder.join("identity-key.pem")
    }

    /// Where the counts of objectives are kept.
    pub(crate) fn objectives(&self) -> PathBuf {
        self.folder.join("slo.json")
    }

    /// Where the fetched keys of the tokens' issuer are kept.
    pub(crate) fn issuer_keys(&self) -> PathBuf {
        self.folder.join("issuer-keys.json")
    }

    /// Only for a reader on this machine; the file is replaced whole.
    pub(crate) fn note(&self, running: &Running) -> Result<()> {
        let new = self.folder.join("running.json.new");
        fs::write(&new, serde_json::to_vec_pretty(running)?)?;
        Ok(fs::rename(new, self.folder.join(RUNNING))?)
    }

    /// Also what one that was killed noted.
    fn forget(&self) {
        let _ = fs::remove_file(self.folder.join(RUNNING));
    }

    /// The token of an admin listener that others can reach; made once.
    pub(crate) fn admin_token(&self) -> Result<String> {
        self.token(ADMIN_TOKEN)
    }

    /// The token that services have for it, good for what they need only; made once.
    pub(crate) fn service_token(&self) -> Result<String> {
        self.token(SERVICE_TOKEN)
    }

    fn token(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        if let Ok(token) = fs::read_to_string(&path) {
            return Ok(token.trim().to_owned());
        }
        let token = random()?;
        // Renamed into place: half a token would stay for good.
        let new = self.folder.join(format!("{name}.new"));
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(token.as_bytes())?;
        fs::rename(new, path)?;
        Ok(token)
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.forget();
    }
}

/// 256 bits nobody can guess, in hexadecimal.
pub(crate) fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom").and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes))?;
    Ok(hexadecimal(&bytes))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What the mare that uses `folder` noted, if there is one. One that was killed left its note behind, and somebody
/// else may have its port.
pub(crate) fn running(folder: &Path) -> Option<Running> {
    let lock = File::open(folder.join(LOCK)).ok()?;
    fcntl_getlk(&lock, &Flock::from(FlockType::WriteLock)).ok()??;
    serde_json::from_slice(&fs::read(folder.join(RUNNING)).ok()?).ok()
}

/// The admin token kept in `folder`, if there is one.
pub(crate) fn token(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join(ADMIN_TOKEN)).ok().map(|token| token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_once_and_are_not_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Data::lock(folder.path()).expect("nobody uses it");
        let (admin, service) = (data.admin_token().expect("made"), data.service_token().expect("made"));
        assert_ne!(admin, service);
        assert_eq!(data.admin_token().expect("kept"), admin);
        assert_eq!(data.service_token().expect("kept"), service);
        assert_eq!(token(folder.path()), Some(admin));
    }

    #[test]
    fn the_note_of_a_mare_that_was_killed_counts_for_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Data::lock(folder.path()).expect("nobody uses it");
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        data.note(&Running { pid: std::process::id(), public: address, admin: address }).expect("writable");
        // As SIGKILL leaves it: the lock goes with the process, the note stays.
        let note = fs::read(folder.path().join(RUNNING)).expect("noted");
        drop(data);
        fs::write(folder.path().join(RUNNING), note).expect("writable");
        assert!(running(folder.path()).is_none());
        let _next = Data::lock(folder.path()).expect("nobody uses it");
        assert!(!folder.path().join(RUNNING).exists(), "nor is it taken for the next one's");
    }
}
