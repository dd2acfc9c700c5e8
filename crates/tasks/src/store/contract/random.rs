//! Random command sequences give the same answers on a store as on the model.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::model::{State, TaskName};
use crate::store::reference::Model;

/// Tasks are meant by index into all those ever created; of an empty list, one that never was.
#[derive(Clone, Debug)]
enum Command {
    Create { id: Option<u8>, priority: i16, key: u8, delay_ms: u64 },
    Lease(usize),
    Settle(prop::sample::Index, Answer),
    NotDelivered(prop::sample::Index, u64),
    Run(prop::sample::Index),
    Delete(prop::sample::Index),
    Advance(u64),
    SetState(State),
    SetLimits(f64, u32, u32),
    Purge,
    Redrive(Option<prop::sample::Index>),
    ForgetDead(Option<prop::sample::Index>),
    DeleteQueue,
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let index = any::<prop::sample::Index>;
    let answer = prop_oneof![
        3 => Just(status(200)),
        3 => Just(status(500)),
        1 => (0..100u32).prop_map(|wait| Answer::Status { status: 503, retry_after: Some(wait * SECOND) }),
        1 => Just(Answer::Deadline),
        1 => Just(Answer::Broken("gone".to_owned())),
    ];
    let create = (prop::option::weighted(0.7, 0..6u8), -1..2i16, 0..3u8, prop_oneof![Just(0), 0..20_000u64])
        .prop_map(|(id, priority, key, delay_ms)| Command::Create { id, priority, key, delay_ms });
    let state = prop_oneof![1 => Just(State::Paused), 3 => Just(State::Running)];
    let command = prop_oneof![
        60 => create,
        40 => (0..5usize).prop_map(Command::Lease),
        40 => (index(), answer).prop_map(|(lease, answer)| Command::Settle(lease, answer)),
        8 => (index(), 0..9_000u64).prop_map(|(lease, wait)| Command::NotDelivered(lease, wait)),
        8 => index().prop_map(Command::Run),
        8 => index().prop_map(Command::Delete),
        30 => prop_oneof![0..500u64, 0..80_000u64, 3_000_000..4_000_000u64].prop_map(Command::Advance),
        8 => state.prop_map(Command::SetState),
        6 => (prop_oneof![0.5..20.0f64, Just(f64::INFINITY)], 1..5u32, 1..6u32)
            .prop_map(|(rate, burst, concurrent)| Command::SetLimits(rate, burst, concurrent)),
        2 => Just(Command::Purge),
        6 => prop::option::of(index()).prop_map(Command::Redrive),
        2 => prop::option::of(index()).prop_map(Command::ForgetDead),
        1 => Just(Command::DeleteQueue),
    ];
    prop::collection::vec(command, 1..120)
}

/// Compares `cases` sequences; a failure prints the shortest one found.
pub(crate) fn agrees_with_the_model<F: Future<Output = Fresh>>(fresh: impl Fn(Options) -> F, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let run = |commands: Vec<Command>| {
        runtime.block_on(async {
            let mut both = Both::new(&fresh).await;
            for command in commands {
                both.perform(command).await;
                both.compare().await;
            }
            both.bench.store.close().await;
        });
        Ok(())
    };
    TestRunner::new(config).run(&commands(), run).unwrap_or_else(|failure| panic!("{failure}"));
}

/// The store and the model, with what they call the same things.
struct Both {
    bench: Bench,
    model: Model,
    /// The store's names and the model's, of all tasks ever created.
    names: Vec<(TaskName, TaskName)>,
    /// The model's name by the store's.
    same: HashMap<TaskName, TaskName>,
    /// The store's leases and the model's.
    leases: Vec<(Leased, Leased)>,
}

impl Both {
    async fn new<F: Future<Output = Fresh>>(fresh: impl FnOnce(Options) -> F) -> Self {
        let bench = Bench::new(fresh).await;
        let mut model = Model::new(&options().0);
        model.put_queue(settings("q"), Put::Create, bench.clock.now()).expect("a new queue");
        let never = bench.queue.task("never").expect("a name");
        Self {
            bench,
            model,
            names: vec![(never.clone(), never.clone())],
            same: HashMap::from([(never.clone(), never)]),
            leases: Vec::new(),
        }
    }

    /// The store's task under the model's name.
    fn translate(&self, task: Task) -> Task {
        Task { name: self.same[&task.name].clone(), ..task }
    }

    fn translate_all(&self, tasks: Vec<Task>) -> Vec<Task> {
        let mut tasks: Vec<Task> = tasks.into_iter().map(|task| self.translate(task)).collect();
        tasks.sort_by(|one, other| one.name.cmp(&other.name));
        tasks
    }

    async fn perform(&mut self, command: Command) {
        let now = self.bench.clock.now();
        let (store, queue) = (Arc::clone(&self.bench.store), self.bench.queue.clone());
        match command {
            Command::Create { id, priority, key, delay_ms } => {
                let mut new = new_task(&queue, "made");
                new.id = id.map(|id| format!("n{id}"));
                new.spec.priority = priority;
                new.spec.fairness_key = "k".repeat(key.into());
                new.schedule_time = Some(now + Duration::from_millis(delay_ms));
                self.create(new).await;
            }
            Command::Lease(max) => self.lease(max).await,
            Command::Settle(lease, answer) => {
                self.settle(&lease, End::Attempted(Outcome { at: now, answer })).await;
            }
            Command::NotDelivered(lease, wait) => {
                self.settle(&lease, End::NotDelivered { wait: Duration::from_millis(wait) }).await;
            }
            Command::Run(task) => {
                let (name, model_name) = task.get(&self.names).clone();
                match (store.run(&name).await, self.model.run(&model_name, now)) {
                    (Ok(leased), Ok(expected)) => self.leased(leased, expected),
                    (leased, expected) => assert_eq!(leased.err(), expected.err()),
                }
            }
            Command::Delete(task) => {
                let (name, model_name) = task.get(&self.names).clone();
                assert_eq!(store.delete(&name).await, self.model.delete(&model_name, now));
            }
            Command::Advance(millis) => self.bench.clock.advance(Duration::from_millis(millis)),
            Command::SetState(state) => {
                assert_eq!(store.set_state(&queue, state).await, self.model.set_state(&queue, state, now));
            }
            Command::SetLimits(per_second, burst, concurrent) => {
                let limits = RateLimits { per_second, burst, concurrent };
                let settings = QueueSettings { limits, ..settings("q") };
                let put = store.put_queue(settings.clone(), Put::Upsert).await;
                assert_eq!(put, self.model.put_queue(settings, Put::Upsert, now));
            }
            Command::Purge => assert_eq!(store.purge(&queue).await, self.model.purge(&queue, now)),
            Command::Redrive(task) => {
                let (ids, model_ids) = self.ids(task);
                assert_eq!(store.redrive(&queue, ids).await, self.model.redrive(&queue, model_ids, now));
            }
            Command::ForgetDead(task) => {
                let (ids, model_ids) = self.ids(task);
                assert_eq!(
                    store.forget_dead(&queue, ids).await,
                    self.model.forget_dead(&queue, model_ids, now)
                );
            }
            Command::DeleteQueue => {
                assert_eq!(store.delete_queue(&queue).await, self.model.delete_queue(&queue, now));
            }
        }
    }

    fn ids(&self, task: Option<prop::sample::Index>) -> (Option<Vec<String>>, Option<Vec<String>>) {
        let Some(task) = task else { return (None, None) };
        let (name, model_name) = task.get(&self.names);
        (Some(vec![name.id.to_string()]), Some(vec![model_name.id.to_string()]))
    }

    async fn create(&mut self, new: NewTask) {
        let created = self.bench.create_with(new.clone()).await;
        match (created, self.model.create(new, self.bench.clock.now())) {
            (Ok(task), Ok(expected)) => {
                self.names.push((task.name.clone(), expected.name.clone()));
                self.same.insert(task.name.clone(), expected.name.clone());
                assert_eq!(self.translate(task), expected);
            }
            (created, expected) => assert_eq!(created.err(), expected.err()),
        }
    }

    async fn lease(&mut self, max: usize) {
        let leased = self.bench.store.lease(&self.bench.queue, max).await;
        match (leased, self.model.lease(&self.bench.queue, max, self.bench.clock.now())) {
            (Ok(lease), Ok(expected)) => {
                assert_eq!(lease.again_at, expected.again_at);
                assert_eq!(lease.tasks.len(), expected.tasks.len());
                for (leased, expected) in lease.tasks.into_iter().zip(expected.tasks) {
                    self.leased(leased, expected);
                }
            }
            (leased, expected) => assert_eq!(leased.err(), expected.err()),
        }
    }

    fn leased(&mut self, leased: Leased, expected: Leased) {
        assert_eq!(self.translate(leased.task.clone()), expected.task);
        assert_eq!(leased.previous, expected.previous);
        self.leases.push((leased, expected));
    }

    async fn settle(&mut self, lease: &prop::sample::Index, end: End) {
        if self.leases.is_empty() {
            return;
        }
        let (leased, expected) = lease.get(&self.leases);
        let settled = self.bench.end(leased, end.clone()).await;
        let settlement = Settlement { name: expected.task.name.clone(), token: expected.token, end };
        assert_eq!(settled, self.model.settle(settlement, self.bench.clock.now()));
    }

    /// Everything that can be seen is the same.
    async fn compare(&mut self) {
        let (store, queue, now) = (&self.bench.store, &self.bench.queue, self.bench.clock.now());
        assert_eq!(store.stats().await, Ok(self.model.stats(now)));
        match (store.tasks(queue, whole()).await, self.model.tasks(queue, &whole())) {
            (Ok(page), Ok(expected)) => assert_eq!(self.translate_all(page.items), expected.items),
            (page, expected) => assert_eq!(page.err(), expected.err()),
        }
        match (store.dead_letters(queue, whole()).await, self.model.dead_letters(queue, &whole(), now)) {
            (Ok(page), Ok(expected)) => {
                let dead = page.items.into_iter().map(|letter| letter.task).collect();
                let expected: Vec<Task> = expected.items.into_iter().map(|letter| letter.task).collect();
                assert_eq!(self.translate_all(dead), expected);
            }
            (page, expected) => assert_eq!(page.err(), expected.err()),
        }
    }
}
