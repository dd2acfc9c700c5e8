use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

/// Below the range that Linux takes source ports from (32768 and up), so that no outgoing connection can sit
/// on an instance's port between our look and its bind.
const RANGE: Range<u16> = 20_000..32_000;

/// The ports of this process's instances.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports(Arc<Mutex<HashSet<u16>>>);

/// A port for as long as it lives.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    all: Ports,
}

impl Ports {
    /// A port nobody listens on; `None` if there is none left.
    ///
    /// Begins at a random place, so that several platforms on one machine seldom meet.
    pub(super) fn take(&self) -> Option<Port> {
        let first = fastrand::u16(RANGE);
        let mut taken = self.0.lock();
        let number = (first..RANGE.end).chain(RANGE.start..first).find(|number| {
            !taken.contains(number) && TcpListener::bind((Ipv4Addr::LOCALHOST, *number)).is_ok()
        })?;
        taken.insert(number);
        Some(Port { number, all: self.clone() })
    }
}

impl Port {
    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.number);
    }
}
