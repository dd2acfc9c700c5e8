//! This machine and how busy it is, from `/proc`.

use std::fs;

use crate::run::Machine;

/// Counters of `/proc/stat`, in ticks since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    all: u64,
    idle: u64,
    steal: u64,
}

/// Shares of the CPU time of all cores, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    pub(crate) busy: f64,
    /// Taken by the machine's host.
    pub(crate) steal: f64,
}

impl Usage {
    /// Zeros where there is no such file.
    pub(crate) fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    /// user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user (`proc_stat(5)`).
    fn parse(stat: &str) -> Self {
        let Some(line) = stat.lines().find(|line| line.starts_with("cpu ")) else { return Self::default() };
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).map(|word| word.parse().unwrap_or(0)).collect();
        let at = |index: usize| ticks.get(index).copied().unwrap_or(0);
        Self { all: ticks.iter().sum(), idle: at(3) + at(4), steal: at(7) }
    }

    pub(crate) fn since(self, before: Self) -> Shares {
        let all = self.all.saturating_sub(before.all).max(1) as f64;
        let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / all;
        let steal = share(self.steal, before.steal);
        let is_known = self.all > before.all;
        let busy = if is_known { 1.0 - share(self.idle, before.idle) - steal } else { 0.0 };
        Shares { busy: busy.max(0.0), steal }
    }
}

/// The memory this process uses.
pub(crate) fn memory_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

pub(crate) fn describe() -> Machine {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kib = memory.and_then(|memory| memory.split_whitespace().next()?.parse::<u64>().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Machine {
        cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        memory_bytes: kib.unwrap_or(0) * 1024,
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_leaves_out_idle_waiting_and_steal() {
        let before = Usage::parse("cpu  100 0 50 800 20 0 0 30 9 9\ncpu0 1 2 3\n");
        let after = Usage::parse("cpu  130 0 60 840 30 0 0 40 9 9\n");
        assert_eq!(before, Usage { all: 1000, idle: 820, steal: 30 });
        assert_eq!(after.since(before), Shares { busy: 0.4, steal: 0.1 });
        assert_eq!(Usage::default().since(Usage::default()), Shares::default());
    }
}
