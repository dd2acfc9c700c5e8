//! On-CPU time of processes, and of everything else on the machine.
//!
//! Per process it is the scheduler's own figure in nanoseconds (`/proc/PID/task/*/schedstat`), which leaves out
//! interrupts it did not cause but counts the kernel's work for its system calls. A thread that ends takes its figure
//! with it; the process's own total (`/proc/PID/stat`, in ticks) keeps it, so a difference between the two shows that
//! a measurement is incomplete.

use std::collections::HashMap;
use std::fs::{read_dir, read_link, read_to_string};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks are 10 ms and there are a few processes: less than this may be rounding.
const LOST_MAX: Duration = Duration::from_millis(50);
/// More than this changes what a reader concludes.
const LOST_SHARE_MAX: f64 = 0.02;

/// On-CPU time of some processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnCpu {
    by_thread: HashMap<u32, Duration>,
    /// By process, ended threads included, in ticks.
    ticks: HashMap<u32, u64>,
}

impl OnCpu {
    /// Of `root` and those of its descendants that run the same binary: nginx's workers and mare's guard, but not
    /// the instances a guard started.
    pub(crate) fn of(root: u32) -> Result<Self> {
        let binary = binary_of(root).context("the process has ended")?;
        let same_binary = |process: &u32| binary_of(*process).is_some_and(|other| other == binary);
        Self::of_processes(descendants(root)?.into_iter().filter(same_binary).chain([root]))
    }

    /// Of `root` and all its descendants.
    pub(crate) fn of_all(root: u32) -> Result<Self> {
        Self::of_all_of([root].into_iter())
    }

    /// Of `roots` and all their descendants.
    pub(crate) fn of_all_of(roots: impl Iterator<Item = u32>) -> Result<Self> {
        let mut all = Vec::new();
        for root in roots {
            all.extend(descendants(root)?);
            all.push(root);
        }
        Self::of_processes(all.into_iter())
    }

    fn of_processes(processes: impl Iterator<Item = u32>) -> Result<Self> {
        let mut times = Self::default();
        for process in processes {
            // A process or thread may end between the listing and the reading.
            let Ok(threads) = read_dir(format!("/proc/{process}/task")) else { continue };
            for thread in threads.flatten() {
                let Ok(text) = read_to_string(thread.path().join("schedstat")) else { continue };
                let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok());
                let id = thread.file_name().to_string_lossy().parse()?;
                times
                    .by_thread
                    .insert(id, Duration::from_nanos(nanoseconds.context("schedstat has no number")?));
            }
            // utime and stime, see Busy.
            let ticks =
                stat_fields(&process.to_string()).and_then(|fields| Some(fields.get(10)? + fields.get(11)?));
            times.ticks.extend(ticks.map(|ticks| (process, ticks)));
        }
        Ok(times)
    }

    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let spent = |(thread, now): (&u32, &Duration)| {
            now.saturating_sub(earlier.by_thread.get(thread).copied().unwrap_or_default())
        };
        self.by_thread.iter().map(spent).sum()
    }

    /// Time since `earlier` that [`Self::since`] misses, because threads ended, if it matters.
    pub(crate) fn lost_since(&self, earlier: &Self) -> Option<Duration> {
        let spent = |(process, now): (&u32, &u64)| {
            now.saturating_sub(earlier.ticks.get(process).copied().unwrap_or_default())
        };
        let ticks: u64 = self.ticks.iter().map(spent).sum();
        let total = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        let lost = total.saturating_sub(self.since(earlier));
        (lost > LOST_MAX && lost.as_secs_f64() > LOST_SHARE_MAX * total.as_secs_f64()).then_some(lost)
    }
}

/// The whole machine's busy time and that of the benchmark's own finished children (wrk), both in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    machine: u64,
    children: u64,
}

impl Busy {
    pub(crate) fn now() -> Result<Self> {
        let stat = read_to_string("/proc/stat")?;
        let cpu = numbers(stat.lines().next().unwrap_or_default().trim_start_matches("cpu"));
        // user, nice, system, idle, iowait, irq, softirq, steal: all but idle and iowait.
        let [user, nice, system, _, _, irq, softirq, steal, ..] = cpu[..] else {
            anyhow::bail!("/proc/stat is not as expected")
        };
        let own = stat_fields("self").context("/proc/self/stat is not readable")?;
        // utime, stime, cutime and cstime are fields 14 to 17 of proc_pid_stat(5), the parent's id is field 4.
        let own = own.get(10..14).context("/proc/self/stat is short")?.iter().sum();
        Ok(Self { machine: user + nice + system + irq + softirq + steal, children: own })
    }

    /// How many cores were busy with something that is neither the benchmark, wrk nor one of `known`.
    pub(crate) fn unrelated_cores(&self, earlier: &Self, known: Duration, elapsed: Duration) -> f64 {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let machine = (self.machine - earlier.machine) as f64 / ticks;
        let children = (self.children - earlier.children) as f64 / ticks;
        ((machine - children - known.as_secs_f64()) / elapsed.as_secs_f64()).max(0.0)
    }
}

/// User and system time of the benchmark's own children that have ended, and of theirs.
pub(crate) fn of_ended_children() -> Result<Duration> {
    let own = stat_fields("self").context("/proc/self/stat is not readable")?;
    // cutime and cstime, see Busy.
    let ticks: u64 = own.get(12..14).context("/proc/self/stat is short")?.iter().sum();
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

pub(crate) fn binary_of(process: u32) -> Option<PathBuf> {
    read_link(format!("/proc/{process}/exe")).ok()
}

/// All processes below `root`, without it.
pub(crate) fn descendants(root: u32) -> Result<Vec<u32>> {
    let mut parents = HashMap::new();
    for entry in read_dir("/proc")?.flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let parent = stat_fields(&process.to_string()).and_then(|fields| fields.first().copied());
        parents.extend(parent.map(|parent| (process, parent)));
    }
    let mut found = vec![root];
    let mut next = 0;
    // Ends: every process is found at most once, for it has one parent.
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        found.extend(parents.iter().filter(|(_, of)| **of == u64::from(parent)).map(|(process, _)| *process));
    }
    found.remove(0);
    Ok(found)
}

/// The numbers in /proc/PID/stat from the parent's id on; the name before them may hold anything.
fn stat_fields(process: &str) -> Option<Vec<u64>> {
    let text = read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(") ")?;
    let (_state, rest) = after_name.split_once(' ')?;
    Some(numbers(rest))
}

/// Negative numbers count as 0: none of those used can be.
fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map(|number| number.parse().unwrap_or(0)).collect()
}
