//! How the work is divided among processes and threads.

use std::io;
use std::sync::Arc;

use super::connector::Recipe;
use super::crew::{self, Crew, Work};
use super::drive::Config;
use super::plan::{Plan, Share, whole};
use super::process::{self, Job};
use crate::scenario::Model;

/// More threads gain nothing: the service needs cores too.
const THREADS_MAX: u32 = 4;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Division {
    pub(super) processes: u32,
    /// Of each process.
    pub(super) threads: u32,
    /// At most, over all.
    pub(super) users: u64,
}

impl Division {
    pub(super) fn of(config: &Config) -> Self {
        let sought =
            config.seek.filter(|_| config.scenario.model == Model::Users).map(|seek| whole(seek.to.ceil()));
        let users = sought.unwrap_or(u64::from(config.scenario.users_max()));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        Self::new(users, process::connections_max(), cores, (config.processes, config.threads))
    }

    /// `asked` are processes and threads; processes are a minimum.
    fn new(users: u64, connections_max: u64, cores: u32, asked: (Option<u32>, Option<u32>)) -> Self {
        let users = users.max(1);
        let needed = u32::try_from(users.div_ceil(connections_max)).unwrap_or(u32::MAX);
        let processes = asked.0.unwrap_or(1).max(needed);
        let threads = asked.1.unwrap_or(if processes > 1 { 1 } else { cores.min(THREADS_MAX) });
        let threads = threads.clamp(1, u32::try_from(users).unwrap_or(u32::MAX));
        Self { processes, threads, users }
    }

    fn share(self, process: u32) -> Share {
        Share { index: u64::from(process), of: u64::from(self.processes) }
    }

    pub(super) async fn start(self, config: &Config, plan: Plan) -> io::Result<Crew> {
        let seed = fastrand::u64(..);
        let threads = self.threads;
        if self.processes == 1 {
            let recipe = Recipe::new(config.endpoint.clone(), config.scenario.target.http, self.users);
            let scenario = Arc::new(config.scenario.clone());
            return crew::start(&Work { scenario, recipe, share: self.share(0), threads, seed }, plan);
        }
        let job = |process| Job {
            source: config.source.clone(),
            origin: config.origin.clone(),
            endpoint: config.endpoint.clone(),
            share: self.share(process),
            threads,
            seed,
            users: self.users,
        };
        process::start(&config.program, (0..self.processes).map(job).collect(), plan).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::super::connector::{self, Connector};
    use super::super::target::Endpoint;
    use super::*;
    use crate::scenario::HttpVersion;

    #[test]
    fn a_few_users_need_one_process() {
        let check = |users, cores, asked, expected: (u32, u32)| {
            let division = Division::new(users, 19_800, cores, asked);
            assert_eq!((division.processes, division.threads), expected, "{users} on {cores}, {asked:?}");
        };
        check(0, 2, (None, None), (1, 1));
        check(1, 8, (None, None), (1, 1));
        check(19_800, 2, (None, None), (1, 2));
        check(19_800, 64, (None, None), (1, 4));
        check(19_801, 64, (None, None), (2, 1));
        check(10, 2, (Some(3), Some(2)), (3, 2));
        check(100_000, 2, (Some(3), None), (6, 1));
    }

    /// The limits of one machine, kept at 100,000 users: open files of a process, ports of a source address, and
    /// connections that the target's accept queue can take.
    #[test]
    fn a_hundred_thousand_users_stay_within_the_limits() {
        const USERS: u64 = 100_000;
        const FILES: u64 = 20_000;
        let address = "127.0.0.1:8080".parse().unwrap();
        let url = String::new();
        let endpoint = Endpoint { host: url.clone(), authority: url.clone(), url, is_tls: false, address };
        let recipe = Recipe::new(endpoint, HttpVersion::Http1, USERS);
        for asked in [(None, None), (Some(8), Some(3))] {
            let division = Division::new(USERS, FILES - process::FILES_SPARE, 2, asked);
            let (mut all, mut sources) = (BTreeSet::new(), BTreeMap::<_, u64>::new());
            let mut connects_per_second = 0.0;
            for process in 0..division.processes {
                let mut users = 0;
                for thread in 0..division.threads {
                    let share = division.share(process).part(thread.into(), division.threads.into());
                    let spacing = Connector::new(recipe.clone(), share.of).spacing;
                    connects_per_second += Duration::from_secs(1).div_duration_f64(spacing);
                    for number in (0..share.of_first(USERS)).map(|nth| share.number(nth)) {
                        assert!(all.insert(number), "{number} is two users");
                        *sources.entry(recipe.source(number).unwrap()).or_default() += 1;
                        users += 1;
                    }
                }
                assert!(users + process::FILES_SPARE <= FILES, "process {process}: {users}");
            }
            assert_eq!((all.len() as u64, all.last()), (USERS, Some(&(USERS - 1))));
            assert_eq!(sources.len(), 20);
            assert!(sources.values().all(|&users| users == connector::USERS_PER_SOURCE), "{sources:?}");
            assert!((connects_per_second - 10_000.0).abs() < 1.0, "{connects_per_second}");
        }
    }
}
