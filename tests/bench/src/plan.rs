//! What is measured: the subjects, the workloads, and which goes with which.

use serde::Serialize;

/// Something that answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    Direct,
    Nginx,
    Haproxy,
    /// A `url` route: proxying alone.
    MareUrl,
    /// A `service` route: proxying and the accounting of slots.
    MareService,
    /// A `files` route.
    MareFiles,
}

impl Subject {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Direct => "upstream, no proxy",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::MareUrl => "mare, url route",
            Self::MareService => "mare, service route",
            Self::MareFiles => "mare, files route",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    Proxy,
    Static1Kib,
    Static100Kib,
}

impl Workload {
    pub(crate) const ALL: [Self; 3] = [Self::Proxy, Self::Static1Kib, Self::Static100Kib];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Proxy => "proxying 1 KiB",
            Self::Static1Kib => "static file, 1 KiB",
            Self::Static100Kib => "static file, 100 KiB",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Proxy => "/canned",
            Self::Static1Kib => "/1k.bin",
            Self::Static100Kib => "/100k.bin",
        }
    }

    /// The length of a right answer's body, in bytes.
    pub(crate) fn body_len(self) -> usize {
        match self {
            Self::Proxy | Self::Static1Kib => 1024,
            Self::Static100Kib => 100 * 1024,
        }
    }

    /// In the order of even rounds.
    pub(crate) fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Proxy => {
                &[Subject::Direct, Subject::Nginx, Subject::Haproxy, Subject::MareUrl, Subject::MareService]
            }
            Self::Static1Kib | Self::Static100Kib => &[Subject::Nginx, Subject::MareFiles],
        }
    }
}

/// Keep-alive connections. 64 keeps every proxy busy, 512 is where queues and memory show.
pub(crate) const CONNECTIONS: [u32; 2] = [64, 512];
