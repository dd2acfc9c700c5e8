//! `slo.json` in the data directory: histories and firing alerts, so that a restart forgets neither a budget that is
//! spent nor whom it has told.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::board::Histories;
use crate::alert::policy::Firing;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) histories: Histories,
    pub(super) alerts: Firing,
}

/// How it is written.
#[derive(Deserialize, Serialize)]
#[serde(tag = "version")]
enum Written {
    #[serde(rename = "1")]
    V1 { histories: Histories, alerts: Firing },
}

#[derive(Clone, Debug)]
pub(super) struct Store {
    file: PathBuf,
}

impl Store {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// What cannot be read is set aside and said; it is worth less than serving.
    pub(super) fn load(&self) -> Kept {
        let error: Box<dyn std::error::Error> =
            match fs::read(&self.file).map(|text| serde_json::from_slice(&text)) {
                Ok(Ok(Written::V1 { histories, alerts })) => return Kept { histories, alerts },
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::default(),
                Ok(Err(error)) => error.into(),
                Err(error) => error.into(),
            };
        let aside = self.file.with_extension("json.unreadable");
        let renamed = fs::rename(&self.file, &aside);
        tracing::warn!(%error, file = %self.file.display(), aside = %aside.display(), is_aside = renamed.is_ok(),
            "the kept error budgets cannot be read, they begin anew");
        Kept::default()
    }

    /// Replaces the file whole. A failure is logged: the next minute tries again.
    pub(super) async fn save(&self, kept: Kept) {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || {
            let Kept { histories, alerts } = kept;
            let text = serde_json::to_vec(&Written::V1 { histories, alerts })?;
            let new = file.with_extension("json.new");
            let mut out = File::create(&new)?;
            out.write_all(&text)?;
            out.sync_all()?;
            fs::rename(new, file)
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "error budgets cannot be kept"),
            Err(error) => tracing::error!(%error, "keeping error budgets failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use mare_slo::{Events, History};

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().join("slo.json"));
        assert_eq!(store.load(), Kept::default());
        let mut history = History::new(100);
        history.record(160, Events { good: 9, total: 10 });
        let kept = Kept { histories: [("a".to_owned(), history)].into(), alerts: Firing::default() };
        store.save(kept.clone()).await;
        let counts = |kept: &Kept| kept.histories["a"].counts(std::time::Duration::from_secs(60), 160);
        assert_eq!(counts(&store.load()), counts(&kept));
    }

    #[test]
    fn a_file_of_the_first_version_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("slo.json");
        fs::write(&file, include_str!("store/v1.json")).expect("writes");
        let kept = Store::new(file).load();
        let counts = kept.histories["read: GET /api/items: p95 within 300ms"]
            .counts(std::time::Duration::from_secs(3_600), 1_763_720_060);
        assert_eq!(counts, Events { good: 9, total: 10 });
        assert!(kept.alerts.contains("read/p95"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_set_aside() {
        for text in ["", "{\"version\":\"1\",\"histories\":{", "{\"version\":\"2\"}", "[]", "\u{0}\u{0}"] {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("slo.json");
            fs::write(&file, text).expect("writes");
            assert_eq!(Store::new(file.clone()).load(), Kept::default(), "{text}");
            assert!(!file.exists());
            let aside = fs::read_to_string(folder.path().join("slo.json.unreadable")).expect("it is there");
            assert_eq!(aside, text);
        }
    }
}
