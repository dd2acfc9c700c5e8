//! One suite of tests for every store.
//!
//! A store's tests say `contract_suite!(fresh, cases)`, where `fresh` makes an empty store of some [`Options`], and
//! `cases` is how many random command sequences are compared with the reference model.

#![expect(clippy::unchecked_time_subtraction, reason = "of constants, and a test would fail loudly")]

pub(crate) mod dead;
pub(crate) mod leases;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod queues;
mod random;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::clock::Manual;
use super::{
    Clock, End, Error, Lease, Leased, NewTask, Options, Put, QueueStats, Settled, Settlement, Slice, Store,
    Windows,
};
use crate::model::{Answer, HttpRequest, Outcome, QueueName, QueueSettings, RateLimits, Retry, Spec, Task};

pub(crate) use random::agrees_with_the_model;

/// An empty store, and what must live as long as it.
pub(crate) struct Fresh {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keep: Box<dyn Any + Send>,
}

/// A store with one queue in it, and shorthands for what tests do all the time.
pub(crate) struct Bench {
    store: Arc<dyn Store>,
    clock: Manual,
    queue: QueueName,
    _keep: Box<dyn Any + Send>,
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What all tests' names live in.
const PARENT: &str = "projects/p/locations/l";

/// The windows of the tests, both.
const WINDOW: Duration = Duration::from_hours(1);

/// The dispatch deadline of the tests' tasks, with the margin: when their leases end.
const LEASE: Duration = Duration::from_secs(60);

/// Dead letters that are kept in the tests.
const DEAD_MAX: usize = 3;

/// The options of the tests, with the clock that goes by hand.
pub(crate) fn options() -> (Options, Manual) {
    let clock = Manual::at(Timestamp::from_second(1_800_000_000).expect("a time"));
    let windows = Windows { task_name: WINDOW, queue_name: WINDOW };
    (Options { clock: Clock::Manual(clock.clone()), windows, dead_max: DEAD_MAX }, clock)
}

pub(crate) fn queue_name(id: &str) -> QueueName {
    QueueName::below(PARENT, id).expect("a name")
}

pub(crate) fn settings(id: &str) -> QueueSettings {
    let limits = RateLimits { per_second: 500.0, burst: 100, concurrent: 1000 };
    let retry =
        Retry { attempts: Some(2), min: 10 * SECOND, max: 300 * SECOND, doublings: 3, ..Retry::default() };
    QueueSettings { name: queue_name(id), limits, retry, target: None, declared: false }
}

pub(crate) fn spec() -> Spec {
    let request = HttpRequest {
        method: http::Method::POST,
        url: "http://worker.mare.internal/tasks".to_owned(),
        headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
        body: Bytes::from_static(b"\x00body\xff"),
        token: None,
    };
    Spec {
        request,
        dispatch_deadline: LEASE - super::LEASE_MARGIN,
        retry: None,
        priority: 0,
        fairness_key: String::new(),
    }
}

pub(crate) fn new_task(queue: &QueueName, id: &str) -> NewTask {
    NewTask { queue: queue.clone(), id: Some(id.to_owned()), spec: spec(), schedule_time: None }
}

pub(crate) fn status(status: u16) -> Answer {
    Answer::Status { status, retry_after: None }
}

/// All of a listing.
pub(crate) fn whole() -> Slice {
    Slice { after: None, size: 1000 }
}

pub(crate) fn ids(leased: &[Leased]) -> Vec<&str> {
    leased.iter().map(|leased| &*leased.task.name.id).collect()
}

impl Bench {
    pub(crate) async fn new<F: Future<Output = Fresh>>(fresh: impl FnOnce(Options) -> F) -> Self {
        let (options, clock) = options();
        let Fresh { store, keep } = fresh(options).await;
        store.put_queue(settings("q"), Put::Create).await.expect("a new queue");
        Self { store, clock, queue: queue_name("q"), _keep: keep }
    }

    /// Other settings for the queue.
    async fn set(&self, change: impl FnOnce(&mut QueueSettings)) {
        let mut settings = settings("q");
        change(&mut settings);
        self.store.put_queue(settings, Put::Upsert).await.expect("the queue is there");
    }

    async fn create(&self, id: &str) -> Result<Task, Error> {
        self.create_with(new_task(&self.queue, id)).await
    }

    async fn create_with(&self, task: NewTask) -> Result<Task, Error> {
        self.store.create(vec![task]).await.pop().expect("a result for each")
    }

    async fn create_all(&self, ids: &[&str]) {
        let tasks = ids.iter().map(|id| new_task(&self.queue, id)).collect();
        for created in self.store.create(tasks).await {
            created.expect("a new name");
        }
    }

    async fn lease(&self, max: usize) -> Lease {
        self.store.lease(&self.queue, max).await.expect("the queue is there")
    }

    async fn lease_one(&self) -> Leased {
        self.lease(1).await.tasks.pop().expect("a task is due")
    }

    async fn settle(&self, leased: &Leased, answer: Answer) -> Settled {
        let outcome = Outcome { at: self.clock.now(), answer };
        self.end(leased, End::Attempted(outcome)).await
    }

    async fn end(&self, leased: &Leased, end: End) -> Settled {
        let settlement = Settlement { name: leased.task.name.clone(), token: leased.token, end };
        self.store.settle(vec![settlement]).await.expect("the store works").pop().expect("a result for each")
    }

    /// Lets one task use up both its attempts.
    async fn kill(&self, id: &str) {
        self.create(id).await.expect("a new name");
        for _attempt in 0..2 {
            let leased = self.store.run(&self.queue.task(id).expect("a name")).await.expect("it lives");
            self.settle(&leased, status(500)).await;
        }
    }

    async fn stats(&self) -> QueueStats {
        let all = self.store.stats().await.expect("the store works");
        all.into_iter().find(|stats| stats.queue.settings.name == self.queue).expect("the queue is there")
    }

    async fn task(&self, id: &str) -> Result<Task, Error> {
        self.store.task(&self.queue.task(id).expect("a name")).await
    }

    async fn dead_ids(&self) -> Vec<String> {
        let page = self.store.dead_letters(&self.queue, whole()).await.expect("the queue is there");
        page.items.iter().map(|letter| letter.task.name.id.to_string()).collect()
    }

    async fn task_ids(&self) -> Vec<String> {
        let page = self.store.tasks(&self.queue, whole()).await.expect("the queue is there");
        page.items.iter().map(|task| task.name.id.to_string()).collect()
    }
}

/// Makes a test of every rule for the store that `$fresh` makes.
macro_rules! contract_suite {
    ($fresh:path, $cases:expr) => {
        $crate::store::contract::contract_suite! { @rules $fresh,
            queues: [
                a_queue_is_created_once_and_upserted_often,
                queues_are_listed_by_name_below_their_parent,
                a_declared_queue_is_changed_only_by_its_declaration,
                the_name_of_a_deleted_queue_is_blocked_for_the_window,
                what_is_asked_of_no_queue_is_refused,
                a_purge_ends_all_tasks_and_keeps_dead_letters,
                a_paused_queue_takes_tasks_and_gives_none,
            ],
            names: [
                a_task_reads_back_as_it_was_created,
                a_name_is_taken_while_the_task_lives_and_for_the_window_after,
                one_write_creates_what_can_be_created,
                made_ids_differ,
                tasks_are_listed_by_name_in_pages,
                schedule_times_in_the_past_are_now,
            ],
            order: [
                priority_goes_before_time,
                keys_take_turns,
                within_a_key_time_decides_then_creation,
                leasing_many_is_leasing_one_many_times,
            ],
            limits: [
                the_bucket_bounds_what_begins,
                concurrency_bounds_what_is_under_way,
                a_resumed_queue_starts_slowly,
                refusals_slow_the_queue,
                a_new_rate_counts_from_now_on,
            ],
            leases: [
                a_lease_counts_its_attempt,
                an_unsettled_lease_ends_and_its_task_is_due_again,
                only_the_latest_lease_settles,
                an_ended_lease_settles_until_there_is_another,
                not_delivered_never_happened,
                a_failed_task_waits_as_its_retry_rule_says,
                a_tasks_own_retry_rule_goes_before_its_queues,
                run_ignores_state_and_limits,
                deleting_a_leased_task_fences_it,
                stats_follow_every_task,
                changes_are_told,
                a_closed_store_is_busy,
            ],
            dead: [
                attempts_used_up_make_a_dead_letter,
                a_lease_that_ends_can_be_the_last,
                dead_letters_are_redriven_or_forgotten,
                a_redrive_does_not_touch_a_living_task_of_the_name,
                the_oldest_dead_letters_give_way,
                dead_letters_grow_old,
            ],
        }

        #[test]
        fn random_commands_agree_with_the_model() {
            $crate::store::contract::agrees_with_the_model($fresh, $cases);
        }
    };
    (@rules $fresh:path, $($group:ident: [$($rule:ident,)*],)*) => {
        $($(
            #[tokio::test]
            async fn $rule() {
                let bench = $crate::store::contract::Bench::new($fresh).await;
                $crate::store::contract::$group::$rule(bench).await;
            }
        )*)*
    };
}

pub(crate) use contract_suite;
