//! What `/proc` tells about the processes of an instance (Linux; elsewhere nothing is known).
//!
//! Everything here reads files and blocks for about a millisecond: call it off the async threads.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::process::{Pid, Signal, kill_process};

/// One line of `/proc/PID/stat` (`proc_pid_stat(5)`).
struct Stat {
    pid: u32,
    parent: u32,
    session: u32,
    cpu_ticks: u64,
    rss_pages: u64,
}

/// CPU and memory of a tree of processes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) memory_bytes: u64,
}

/// A snapshot of all processes and who is whose child.
pub(crate) struct Processes {
    children: HashMap<u32, Vec<Stat>>,
}

impl Processes {
    pub(crate) fn read() -> Self {
        let mut children: HashMap<u32, Vec<Stat>> = HashMap::new();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for stat in pids.filter_map(read_stat) {
            children.entry(stat.parent).or_default().push(stat);
        }
        Self { children }
    }

    /// Everything below `root`, without `root` itself. Ends because each process has one parent.
    fn tree(&self, root: u32) -> Vec<&Stat> {
        let mut found: Vec<&Stat> = self.children.get(&root).into_iter().flatten().collect();
        let mut next = 0;
        while let Some(stat) = found.get(next) {
            found.extend(self.children.get(&stat.pid).into_iter().flatten());
            next += 1;
        }
        found
    }

    pub(crate) fn usage_below(&self, root: u32) -> Usage {
        let tick = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as u64;
        self.tree(root).into_iter().fold(Usage::default(), |sum, stat| Usage {
            cpu_seconds: sum.cpu_seconds + stat.cpu_ticks as f64 / tick,
            memory_bytes: sum.memory_bytes + stat.rss_pages * page,
        })
    }

    pub(crate) fn below(&self, root: u32) -> Vec<u32> {
        self.tree(root).into_iter().map(|stat| stat.pid).collect()
    }

    /// The children of `root`, dead ones included, that are not in `session`.
    pub(crate) fn children_outside(&self, root: u32, session: u32) -> impl Iterator<Item = u32> {
        let children = self.children.get(&root).into_iter().flatten();
        children.filter(move |stat| stat.session != session).map(|stat| stat.pid)
    }
}

pub(crate) fn descendants(root: u32) -> Vec<u32> {
    Processes::read().below(root)
}

/// Sends SIGKILL; a process that is gone already is fine.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = pid.try_into().ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The session of a process. 0 is one that began outside this PID namespace, as a container's often does.
pub(crate) fn session(pid: u32) -> Option<u32> {
    read_stat(pid).map(|stat| stat.session)
}

fn read_stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything, so count from the last one.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // Field 3 of the manual page is the first one here: ppid 4, session 6, utime 14, stime 15, rss 24.
    let parent = u32::try_from(number(1)?).ok()?;
    let session = u32::try_from(number(3)?).ok()?;
    Some(Stat { pid, parent, session, cpu_ticks: number(11)? + number(12)?, rss_pages: number(21)? })
}

/// The process that listens on a port, as `name (pid 7)`, if we may know it.
pub fn who_listens(port: u16) -> Option<String> {
    let mut sockets = listening_sockets("/proc/net/tcp")?;
    sockets.extend(listening_sockets("/proc/net/tcp6").unwrap_or_default());
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| {
        open_sockets(*pid).any(|inode| sockets.get(&inode).is_some_and(|at| at.port() == port))
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim_end()))
}

fn open_sockets(pid: u32) -> impl Iterator<Item = u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
}

/// The TCP addresses that `root` or anything below it listens on; `None` where that cannot be known.
pub(crate) fn listening_below(root: u32) -> Option<Vec<SocketAddr>> {
    let mut sockets = listening_sockets("/proc/net/tcp")?;
    sockets.extend(listening_sockets("/proc/net/tcp6").unwrap_or_default());
    let mut found = Vec::new();
    for pid in descendants(root) {
        found.extend(open_sockets(pid).filter_map(|inode| sockets.get(&inode)));
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// Inode to address of every listening socket in one of the kernel's tables.
fn listening_sockets(table: &str) -> Option<HashMap<u64, SocketAddr>> {
    const LISTEN: &str = "0A";
    let text = fs::read_to_string(table).ok()?;
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (*fields.get(3)? == LISTEN).then_some(())?;
        Some((fields.get(9)?.parse().ok()?, parse_address(fields.get(1)?)?))
    };
    Some(text.lines().skip(1).filter_map(socket).collect())
}

/// `0100007F:1F90`: the address as 32-bit words in the machine's byte order, then the port.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word =
        |at: usize| Some(u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip: IpAddr = if address.len() == 8 {
        Ipv4Addr::from(word(0)?).into()
    } else {
        let mut bytes = [0; 16];
        for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
            chunk.copy_from_slice(&word(at)?);
        }
        Ipv6Addr::from(bytes).into()
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_addresses_are_read_in_machine_order() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse_address(text).map(|address| address.to_string()).as_deref(), Some(expected));
        };
        if cfg!(target_endian = "little") {
            check("0100007F:1F90", "127.0.0.1:8080");
            check("00000000000000000000000001000000:0050", "[::1]:80");
        }
        assert_eq!(parse_address("nonsense"), None);
        assert_eq!(parse_address("0100007F:XYZ"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_and_its_usage_are_seen() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep exists");
        let processes = Processes::read();
        let own = std::process::id();
        assert!(processes.below(own).contains(&child.id()));
        let session = session(own).expect("we run");
        assert!(processes.children_outside(own, session).all(|pid| pid != child.id()));
        assert!(processes.children_outside(own, session + 1).any(|pid| pid == child.id()));
        child.kill().expect("ours");
        child.wait().expect("ours");
    }
}
