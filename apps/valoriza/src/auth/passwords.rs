//! Argon2id, in a bounded part of the blocking pool: hashing takes a core and 19 MiB for tens of
//! milliseconds, so how many run and how many wait is fixed.

use std::sync::Arc;

use anyhow::anyhow;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::actions::Error;

/// How hard a password is to guess from its hash.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Default for Cost {
    /// OWASP's Password Storage Cheat Sheet, the setting for Argon2id with 19 MiB.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// At some 30 ms each and one or two at a time, the last of these waits about a second.
const WAITING_MAX: usize = 64;

#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Hash that no password matches, for e-mails nobody has: they take as long as the others.
    decoy: Arc<str>,
}

impl Passwords {
    pub fn new(cost: Cost) -> anyhow::Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|error| anyhow!("configure argon2: {error}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, &super::random()?)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            running: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            decoy: decoy.into(),
        })
    }

    pub async fn hash(&self, password: String) -> Result<String, Error> {
        self.run(move |argon2| hash(argon2, password.as_bytes())).await
    }

    /// Tells whether `password` is the one hashed; without a hash it is not, after the same time.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let matches = self.run(move |argon2| {
            let hash = PasswordHash::new(&hash).map_err(|error| anyhow!("read a password hash: {error}"))?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let _place =
            self.waiting.try_acquire().map_err(|_full: tokio::sync::TryAcquireError| Error::Overloaded)?;
        let turn = self.running.clone().acquire_owned().await.expect("the semaphore is never closed");
        let argon2 = self.argon2.clone();
        let task = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if whoever asked has left.
            let _turn = turn;
            work(&argon2)
        });
        task.await.map_err(anyhow::Error::from).flatten().map_err(Error::Internal)
    }
}

fn hash(argon2: &Argon2<'static>, password: &[u8]) -> anyhow::Result<String> {
    let hash = argon2.hash_password(password).map_err(|error| anyhow!("hash a password: {error}"))?;
    Ok(hash.to_string())
}
