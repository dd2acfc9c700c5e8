//! The key set on disk, so that a restart verifies tokens without the issuer.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::fetch::DOCUMENT_MAX;

/// More than a document and what stands around it.
const FILE_MAX: u64 = 2 * DOCUMENT_MAX as u64;

/// A set as it was fetched.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Kept {
    /// The form of this file.
    version: u32,
    /// SHA-256 of where it came from, which may hold a secret: keys of one issuer are not those of another.
    source: String,
    /// Seconds since the epoch.
    fetched: u64,
    set: Value,
}

impl Kept {
    pub(super) fn new(source: &str, fetched: SystemTime, document: &[u8]) -> Option<Self> {
        let set = serde_json::from_slice(document).ok()?;
        let fetched = fetched.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(Self { version: 1, source: digest(source), fetched, set })
    }

    /// What is kept of `source`, if anything: the document, and when it was fetched.
    pub(super) fn read(file: &Path, source: &str) -> io::Result<Option<(Vec<u8>, SystemTime)>> {
        let file = match File::open(file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(FILE_MAX).read_to_end(&mut text)?;
        let kept: Self = serde_json::from_slice(&text)?;
        let is_ours = kept.version == 1 && kept.source == digest(source);
        let fetched = UNIX_EPOCH + Duration::from_secs(kept.fetched.min(u64::from(u32::MAX)));
        Ok(is_ours.then(|| (kept.set.to_string().into_bytes(), fetched)))
    }

    /// Renamed into place, for half a set is none.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let new = file.with_extension("new");
        let mut out = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        out.sync_all()?;
        fs::rename(new, file)
    }
}

fn digest(source: &str) -> String {
    Sha256::digest(source).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_kept_for_its_own_source_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        assert_eq!(Kept::read(&file, "a").expect("nothing is no error"), None);
        let fetched = UNIX_EPOCH + Duration::from_secs(1000);
        Kept::new("a", fetched, br#"{"keys":[]}"#).expect("a document").write(&file).expect("writes");
        assert_eq!(Kept::read(&file, "a").expect("reads"), Some((br#"{"keys":[]}"#.to_vec(), fetched)));
        assert_eq!(Kept::read(&file, "b").expect("reads"), None);
        let text = fs::read_to_string(&file).expect("reads");
        let expected = r#"{"version":1,"source":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","fetched":1000,"set":{"keys":[]}}"#;
        assert_eq!(text, expected, "the form on disk");
        fs::write(&file, "half a").expect("writes");
        assert!(Kept::read(&file, "a").is_err());
    }
}
