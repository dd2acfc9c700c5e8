//! Passwords and tokens.

mod passwords;
mod tokens;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub use passwords::{Cost, Passwords};
pub use tokens::{ACCESS_SECONDS, Claims, Keys};

/// How long a session lasts without being used.
pub const REFRESH_DAYS: i64 = 30;

/// A refresh token: 256 random bits, so that a plain hash of it is enough to store.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn random() -> anyhow::Result<Self> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random()?)))
    }

    /// Takes what a client says is a token.
    pub fn claimed(text: String) -> Self {
        Self(text)
    }

    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }

    /// The token, to be given to its owner and nowhere else.
    pub fn reveal(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// 32 bytes from the operating system.
fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("ask the system for random bytes: {error}"))?;
    Ok(bytes)
}
