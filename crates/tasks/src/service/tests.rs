use std::collections::BTreeSet;

use tokio::task::JoinHandle;

use super::*;
use crate::model::{QueueSettings, Retry, State, TaskName};
use crate::send::worker::{Worker, answer};
use crate::store::contract::{new_task, queue_name, settings, whole};
use crate::store::reference::Reference;
use crate::store::{Error, NewTask, Options, Put};

const PATIENCE: Duration = Duration::from_secs(30);

/// A dispatcher over the reference store, with one service `worker`.
struct Rig {
    store: Arc<dyn Store>,
    handle: Handle,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
    registry: Registry,
}

impl Rig {
    fn new(worker: &Worker, drain: Duration, in_flight_max: usize) -> Self {
        let store: Arc<dyn Store> = Arc::new(Reference::new(&Options::default()));
        let services = vec![(Arc::from("worker"), worker.address)];
        let config = Config {
            targets: Targets::new(services.clone(), &[], Vec::new()).expect("hosts"),
            services,
            drain,
            in_flight_max,
            parent: queue_name("q").parent().to_owned(),
        };
        let identity = Arc::new(Identity::new("http://127.0.0.1:1".to_owned(), "/nowhere".into()));
        let mut registry = Registry::default();
        let (service, handle) = Service::new(Arc::clone(&store), identity, config, &mut registry);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(service.run(worker.call(), shutdown.clone()));
        Self { store, handle, shutdown, running, registry }
    }

    async fn queue(&self, id: &str, change: impl FnOnce(&mut QueueSettings)) {
        let mut settings = settings(id);
        change(&mut settings);
        self.store.put_queue(settings, Put::Create).await.expect("a queue");
    }

    /// A task named like its path.
    async fn create(&self, queue: &str, path: &str) -> TaskName {
        let mut task: NewTask = new_task(&queue_name(queue), path);
        task.spec.request.url = format!("http://worker.mare.internal/{path}");
        self.store.create(vec![task]).await.remove(0).expect("created").name
    }

    /// Waits until the store answers so.
    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut(&dyn Store) -> Option<T>) -> T {
        let mut changes = self.store.changes();
        let looking = async {
            loop {
                if let Some(seen) = look(&*self.store).await {
                    return seen;
                }
                changes.changed().await.expect("the store is there");
            }
        };
        timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }

    async fn until_gone(&self, task: &TaskName) {
        self.until("the task is gone", async |store| store.task(task).await.err()).await;
    }

    fn metric(&self, line: &str) -> bool {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("encodes");
        text.lines().any(|found| found == line)
    }

    async fn end(&mut self) {
        self.shutdown.cancel();
        timeout(PATIENCE, &mut self.running).await.expect("it ends").expect("no panic");
    }
}

#[tokio::test]
async fn every_task_of_every_queue_is_pushed_once() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, PATIENCE, IN_FLIGHT_MAX);
    let mut expected = BTreeSet::new();
    let mut tasks = Vec::new();
    for queue in ["a", "b", "c"] {
        rig.queue(queue, |_| {}).await;
        for number in 0..40 {
            let path = format!("{queue}-{number}");
            tasks.push(rig.create(queue, &path).await);
            expected.insert(format!("/{path}"));
        }
    }
    for task in &tasks {
        rig.until_gone(task).await;
    }
    assert_eq!(worker.paths(), expected.into_iter().collect::<Vec<_>>());
    assert!(rig.metric("mare_tasks_settlements_total{queue=\"a\",result=\"succeeded\"} 40"));
    assert!(rig.metric("mare_tasks_attempts_total{queue=\"b\",outcome=\"2xx\"} 40"));
    rig.end().await;
}

#[tokio::test]
async fn what_fails_is_tried_again_and_at_last_a_dead_letter() {
    let answers = [500, 404, 302, 500, 500, 500].map(|status| answer(status, &[], 0));
    let worker = Worker::answering(answers.into()).await;
    let mut rig = Rig::new(&worker, PATIENCE, IN_FLIGHT_MAX);
    let fast = Retry {
        attempts: Some(3),
        duration: None,
        min: Duration::from_millis(1),
        max: Duration::from_millis(1),
        doublings: 0,
    };
    rig.queue("q", |settings| settings.retry = fast).await;
    rig.create("q", "x").await;
    let died = async |store: &dyn Store| {
        let dead = store.dead_letters(&queue_name("q"), whole()).await.expect("a page").items;
        dead.into_iter().next()
    };
    let dead = rig.until("it is dead", died).await;
    assert_eq!((dead.task.progress.dispatched, dead.task.progress.executed), (3, 2));
    assert_eq!(worker.got().len(), 3);
    rig.end().await;
}

#[tokio::test]
async fn a_queue_whose_target_hangs_does_not_stop_another() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, Duration::ZERO, 8);
    rig.queue("hanging", |_| {}).await;
    rig.queue("other", |_| {}).await;
    for number in 0..20 {
        rig.create("hanging", &format!("hang-{number}")).await;
    }
    worker.until(4).await;
    for number in 0..20 {
        let task = rig.create("other", &number.to_string()).await;
        rig.until_gone(&task).await;
    }
    let hanging = worker.paths().iter().filter(|path| path.contains("hang")).count();
    assert!(hanging < 8, "{hanging}");
    rig.end().await;
}

#[tokio::test]
async fn at_the_end_what_is_under_way_is_given_back() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, Duration::ZERO, IN_FLIGHT_MAX);
    rig.queue("q", |_| {}).await;
    let task = rig.create("q", "hang").await;
    worker.until(1).await;
    assert_eq!(rig.handle.in_flight(), 1);
    rig.end().await;
    assert!(rig.metric("mare_tasks_attempts_total{queue=\"q\",outcome=\"not_delivered\"} 1"));
    let given_back = rig.store.task(&task).await.expect("it is there");
    assert_eq!((given_back.progress.dispatched, given_back.progress.last_attempt), (0, None));
    assert_eq!(rig.store.stats().await.expect("numbers")[0].due, 1);
}

#[tokio::test]
async fn within_the_drain_what_is_under_way_is_finished() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, PATIENCE, IN_FLIGHT_MAX);
    rig.queue("q", |_| {}).await;
    for path in ["a", "b"] {
        rig.create("q", path).await;
    }
    worker.until(2).await;
    rig.end().await;
    assert!(rig.metric("mare_tasks_settlements_total{queue=\"q\",result=\"succeeded\"} 2"));
}

#[tokio::test]
async fn a_paused_queue_sends_only_what_is_forced() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, PATIENCE, IN_FLIGHT_MAX);
    rig.queue("paused", |_| {}).await;
    rig.store.set_state(&queue_name("paused"), State::Paused).await.expect("it is there");
    rig.queue("other", |_| {}).await;
    let (waiting, forced) = (rig.create("paused", "waiting").await, rig.create("paused", "forced").await);
    let other = rig.create("other", "other").await;
    rig.until_gone(&other).await;
    assert_eq!(worker.paths(), ["/other"]);
    let leased = rig.store.run(&forced).await.expect("it is there");
    rig.handle.forced().send(leased).await.expect("the service runs");
    rig.until_gone(&forced).await;
    assert_eq!(worker.paths(), ["/forced", "/other"]);
    rig.store.set_state(&queue_name("paused"), State::Running).await.expect("it is there");
    rig.until_gone(&waiting).await;
    rig.end().await;
}

#[tokio::test]
async fn a_queue_that_is_deleted_and_made_again_is_served_again() {
    let worker = Worker::answering(Vec::new()).await;
    let mut rig = Rig::new(&worker, PATIENCE, IN_FLIGHT_MAX);
    for round in 0..2 {
        rig.queue("q", |_| {}).await;
        let task = rig.create("q", &round.to_string()).await;
        rig.until_gone(&task).await;
        rig.store.delete_queue(&queue_name("q")).await.expect("it is there");
        assert!(matches!(rig.store.queue(&queue_name("q")).await, Err(Error::NoQueue)));
    }
    rig.end().await;
}
