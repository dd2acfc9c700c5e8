//! The key that signs, and its file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::rand_core::OsRng;

/// What NIST SP 800-57 asks for until 2030, and Google's own keys have.
const BITS: usize = 2048;

pub(super) struct Key {
    pub(super) id: String,
    pub(super) signing: EncodingKey,
    pub(super) public: Jwk,
}

/// Why no token can be signed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("read or write the key's file: {0}")]
    File(#[from] io::Error),
    #[error("read the key: {0}; remove its file to have a new one made")]
    Key(#[from] rsa::pkcs1::Error),
    #[error("make a key: {0}")]
    Make(#[from] rsa::Error),
    #[error("sign: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error("make a key: it broke off")]
    Lost,
}

impl Key {
    /// Takes a second when it has to make one.
    pub(super) fn read_or_make(file: &Path) -> Result<Self, KeyError> {
        match fs::read_to_string(file) {
            Ok(pem) => Self::of(&RsaPrivateKey::from_pkcs1_pem(&pem)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = RsaPrivateKey::new(&mut OsRng, BITS)?;
                write(file, key.to_pkcs1_pem(LineEnding::LF)?.as_bytes())?;
                Self::of(&key)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn of(key: &RsaPrivateKey) -> Result<Self, KeyError> {
        let signing = EncodingKey::from_rsa_der(key.to_pkcs1_der()?.as_bytes());
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { id, signing, public })
    }
}

/// Nothing of a secret in logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Renamed into place: half a key would stay for good.
fn write(file: &Path, pem: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut out = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    out.write_all(pem)?;
    out.sync_all()?;
    fs::rename(new, file)
}
