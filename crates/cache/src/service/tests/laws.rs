//! No client reads what is older than the last write it could know of: clients, writers and a service in any order.

use std::cell::Cell;
use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use super::*;

const PATHS: u8 = 2;
const USERS: u8 = 2;

/// Somebody who comes at a time and does something that takes a while.
#[derive(Clone, Debug)]
enum Actor {
    Reader {
        at: u64,
        path: u8,
        user: u8,
        no_cache: bool,
        /// Until the service reads, until its head arrives, until its body does.
        takes: [u64; 3],
        /// Goes away after so many of these.
        leaves_after: Option<usize>,
    },
    /// Changes what a path says, and purges a little later.
    Writer { at: u64, path: u8, purges_after: u64 },
}

/// What the service says of a path, and which of it was acknowledged: purged, and told to the writer.
struct Origin {
    written: [Cell<u64>; PATHS as usize],
    acknowledged: [Cell<u64>; PATHS as usize],
    max_age: u64,
    answers: Cell<usize>,
}

fn actors() -> impl Strategy<Value = Vec<Actor>> {
    let times = || 0_u64..3000;
    let takes = || [0_u64..400, 0_u64..400, 0_u64..400];
    let leaves = prop_oneof![3 => Just(None), 1 => (0_usize..3).prop_map(Some)];
    let reader = (times(), 0..PATHS, 0..USERS, prop::bool::weighted(0.1), takes(), leaves).prop_map(
        |(at, path, user, no_cache, takes, leaves_after)| Actor::Reader {
            at,
            path,
            user,
            no_cache,
            takes,
            leaves_after,
        },
    );
    let writer = (times(), 0..PATHS, 0_u64..300).prop_map(|(at, path, purges_after)| Actor::Writer {
        at,
        path,
        purges_after,
    });
    vec(prop_oneof![3 => reader, 1 => writer], 1..40)
}

async fn act(actor: Actor, world: Rc<World>, origin: Rc<Origin>) {
    match actor {
        Actor::Writer { at, path, purges_after } => {
            sleep(Duration::from_millis(at)).await;
            let version = origin.written[usize::from(path)].get() + 1;
            origin.written[usize::from(path)].set(version);
            sleep(Duration::from_millis(purges_after)).await;
            world.purge(&format!("tag-{path}")).await;
            let acknowledged = &origin.acknowledged[usize::from(path)];
            acknowledged.set(acknowledged.get().max(version));
        }
        Actor::Reader { at, path, user, no_cache, takes, leaves_after } => {
            sleep(Duration::from_millis(at)).await;
            let mut request = Request::get(&format!("/{path}")).of(user);
            if no_cache {
                request = request.with("cache-control", "no-cache");
            }
            let floor = origin.acknowledged[usize::from(path)].get();
            let client = Client { world, origin: Rc::clone(&origin), path, user, takes, leaves_after };
            let Some(body) = client.read(&request).await else { return };
            let (version, whose) = body.split_once(' ').expect("a version and a user");
            let version: u64 = version.parse().expect("a version");
            assert!(version >= floor, "read {version} after {floor} was acknowledged");
            assert_eq!(whose, user.to_string(), "somebody else's answer");
            origin.answers.set(origin.answers.get() + 1);
        }
    }
}

struct Client {
    world: Rc<World>,
    origin: Rc<Origin>,
    path: u8,
    user: u8,
    takes: [u64; 3],
    leaves_after: Option<usize>,
}

impl Client {
    /// `None`: went away.
    async fn read(self, request: &Request) -> Option<String> {
        let ask = match self.world.look(request) {
            Look::Answer(response) => return Some(text(&response)),
            Look::Stale(response, ask) => {
                spawn_local(async move {
                    if let Settled::Fill(fill) = ask.settle().await {
                        self.fetch(fill).await;
                    }
                });
                return Some(text(&response));
            }
            Look::Ask(ask) => ask,
            Look::Pass(bypass) => panic!("{bypass:?}"),
        };
        match ask.settle().await {
            Settled::Answer(response) | Settled::Stale(response, _) => Some(text(&response)),
            Settled::Fill(fill) => self.fetch(fill).await,
            Settled::Pass(bypass) => panic!("{bypass:?}"),
        }
    }

    async fn fetch(&self, fill: Fill) -> Option<String> {
        let mut sent = HeaderMap::new();
        fill.prepare(&mut sent);
        self.wait(0).await?;
        let version = self.origin.written[usize::from(self.path)].get();
        self.wait(1).await?;
        let etag = format!("\"{version}\"");
        let control = format!("max-age={}, stale-while-revalidate=1", self.origin.max_age);
        let tag = format!("tag-{}", self.path);
        let headers = [("etag", &*etag), ("cache-control", &control), ("cache-tag", &tag)];
        let is_known = sent.get("if-none-match").is_some_and(|known| known == &*etag);
        match fill.answered(head(if is_known { 304 } else { 200 }, &headers)) {
            Answered::Answer(response) => Some(text(&response)),
            Answered::Record(_, mut recorder) => {
                let body = format!("{version} {}", self.user);
                recorder.push(&Bytes::copy_from_slice(body.as_bytes()));
                self.wait(2).await?;
                recorder.finish();
                Some(body)
            }
            Answered::Pass(_) | Answered::Again(_) => panic!("the service says when it may be kept"),
        }
    }

    async fn wait(&self, stage: usize) -> Option<()> {
        sleep(Duration::from_millis(self.takes[stage])).await;
        (self.leaves_after != Some(stage)).then_some(())
    }
}

/// Runs the actors on virtual time; says how many reads there were.
fn run(actors: &[Actor], max_age: u64) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(LocalSet::new().run_until(async {
        let world = Rc::new(World::new(&per_user()));
        let origin = Rc::new(Origin {
            written: Default::default(),
            acknowledged: Default::default(),
            max_age,
            answers: Cell::new(0),
        });
        let tasks: Vec<_> = actors
            .iter()
            .map(|actor| spawn_local(act(actor.clone(), Rc::clone(&world), Rc::clone(&origin))))
            .collect();
        for task in tasks {
            task.await.expect("an actor's assertion");
        }
        origin.answers.get()
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_look_after_a_purge_yields_what_began_before_it(actors in actors(), max_age in 0_u64..3) {
        run(&actors, max_age);
    }
}

/// The laws would hold of a cache that never hits, too.
#[test]
fn the_actors_of_the_law_do_share_answers() {
    let reader =
        |at| Actor::Reader { at, path: 0, user: 0, no_cache: false, takes: [10, 10, 10], leaves_after: None };
    assert_eq!(run(&[reader(0), reader(5), reader(100)], 2), 3);
}
