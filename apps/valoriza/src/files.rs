//! The object store: files people uploaded, by tenant.
//!
//! `VALORIZA_FILES` names it: a directory (the default is one beside the database), `file:///…`, `s3://bucket/…`
//! or `gs://bucket/…`, whose credentials come from the environment as their own tools read them. Every instance
//! must see the same one.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use reqwest::Url;
use uuid::Uuid;

use crate::statement::FILE_BYTES_MAX;

/// For one file to be stored, read or deleted, the store's own retries included.
const DEADLINE: Duration = Duration::from_secs(60);

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("find the file")]
    NotFound,
    #[error("keep to {FILE_BYTES_MAX} bytes: the file is larger")]
    TooLarge,
    #[error("reach the object store in time")]
    Late,
    #[error("use the object store")]
    Store(#[source] object_store::Error),
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

impl Files {
    /// Opens the store at `place`, a directory or a URL. A directory is made if it is not there.
    pub fn open(place: &str) -> anyhow::Result<Self> {
        let store: Arc<dyn ObjectStore> = match place.split_once("://") {
            None => local(FilePath::new(place))?,
            Some(("file", _)) => {
                let path = Url::parse(place).ok().and_then(|url| url.to_file_path().ok());
                local(&path.with_context(|| format!("read {place}: name an absolute directory"))?)?
            }
            Some(("s3", rest)) => {
                trust_ring();
                let store = AmazonS3Builder::from_env().with_url(place).build();
                within(store.context("open the S3 bucket")?, rest)
            }
            Some(("gs", rest)) => {
                trust_ring();
                let store = GoogleCloudStorageBuilder::from_env().with_url(place).build();
                within(store.context("open the GCS bucket")?, rest)
            }
            Some((scheme, _)) => bail!("open the object store: {scheme}:// is none of file, s3, gs"),
        };
        Ok(Self { store })
    }

    /// Keeps the file of an import.
    pub async fn put(&self, tenant: Uuid, import: Uuid, bytes: bytes::Bytes) -> Result<(), Error> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(Error::TooLarge);
        }
        in_time(self.store.put(&path(tenant, import), PutPayload::from_bytes(bytes))).await.map(drop)
    }

    /// Reads the file of an import.
    pub async fn get(&self, tenant: Uuid, import: Uuid) -> Result<bytes::Bytes, Error> {
        let get = async {
            let found = self.store.get(&path(tenant, import)).await?;
            // What somebody else put there must not fill our memory.
            if found.meta.size > FILE_BYTES_MAX as u64 {
                return Err(Error::TooLarge);
            }
            Ok(found.bytes().await?)
        };
        tokio::time::timeout(DEADLINE, get).await.unwrap_or(Err(Error::Late))
    }

    /// Deletes the file of an import, if it is there.
    pub async fn delete(&self, tenant: Uuid, import: Uuid) -> Result<(), Error> {
        match in_time(self.store.delete(&path(tenant, import))).await {
            Err(Error::NotFound) => Ok(()),
            outcome => outcome,
        }
    }
}

/// Ids only: nothing a client wrote is part of a path.
fn path(tenant: Uuid, import: Uuid) -> Path {
    Path::from(format!("tenants/{tenant}/imports/{import}"))
}

async fn in_time<T>(call: impl Future<Output = object_store::Result<T>>) -> Result<T, Error> {
    tokio::time::timeout(DEADLINE, call).await.map_or(Err(Error::Late), |outcome| Ok(outcome?))
}

/// Files reach the disk before an upload is answered.
fn local(folder: &FilePath) -> anyhow::Result<Arc<dyn ObjectStore>> {
    std::fs::create_dir_all(folder).with_context(|| format!("make the directory {}", folder.display()))?;
    let store = LocalFileSystem::new_with_prefix(folder);
    let store = store.with_context(|| format!("open the directory {}", folder.display()))?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// The store below the path after the bucket's name.
fn within(store: impl ObjectStore, rest: &str) -> Arc<dyn ObjectStore> {
    match rest.split_once('/').map(|(_, prefix)| prefix.trim_matches('/')) {
        Some(prefix) if !prefix.is_empty() => Arc::new(PrefixStore::new(store, prefix)),
        _ => Arc::new(store),
    }
}

/// Makes ring the process's TLS provider, unless there is one.
fn trust_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_kept_by_tenant_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path().join("a/b").to_str().unwrap()).unwrap();
        let (tenant, other, import) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        files.put(tenant, import, "OFX".into()).await.unwrap();
        assert_eq!(files.get(tenant, import).await.unwrap(), "OFX");
        assert!(matches!(files.get(other, import).await, Err(Error::NotFound)));
        let large = vec![0; FILE_BYTES_MAX + 1].into();
        assert!(matches!(files.put(tenant, import, large).await, Err(Error::TooLarge)));
        files.delete(tenant, import).await.unwrap();
        files.delete(tenant, import).await.unwrap();
        assert!(matches!(files.get(tenant, import).await, Err(Error::NotFound)));
    }

    #[test]
    fn buckets_are_opened_by_url_and_nothing_else_is() {
        let check = |place: &str, fine: bool| assert_eq!(Files::open(place).is_ok(), fine, "{place}");
        check("s3://bucket/a/b", true);
        check("ftp://host/a", false);
        check("file://relative", false);
    }
}
