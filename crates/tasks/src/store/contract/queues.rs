use super::*;
use crate::model::State;

pub(crate) async fn a_queue_is_created_once_and_upserted_often(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.put_queue(settings("q"), Put::Create).await, Err(Error::QueueExists));
    store.set_state(&bench.queue, State::Paused).await.expect("it is there");
    let mut other = settings("q");
    other.limits.per_second = 1.5;
    other.retry.attempts = None;
    other.retry.duration = Some(90 * SECOND);
    other.target =
        Some(crate::model::Target::Service { service: "worker".to_owned(), path: "/t".to_owned() });
    let queue = store.put_queue(other.clone(), Put::Upsert).await.expect("an upsert");
    assert_eq!((&queue.settings, queue.state, queue.purged_at), (&other, State::Paused, None));
    assert_eq!(store.queue(&bench.queue).await.as_ref(), Ok(&queue));
    let new = store.put_queue(settings("new"), Put::Upsert).await.expect("an upsert creates");
    assert_eq!((new.settings, new.state), (settings("new"), State::Running));
}

pub(crate) async fn queues_are_listed_by_name_below_their_parent(bench: Bench) {
    let store = &bench.store;
    for id in ["b", "a-1", "B"] {
        store.put_queue(settings(id), Put::Create).await.expect("a new queue");
    }
    let elsewhere = QueueName::below("projects/p/locations/l2", "z").expect("a name");
    store
        .put_queue(QueueSettings { name: elsewhere, ..settings("q") }, Put::Create)
        .await
        .expect("a new queue");
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.queues(PARENT, Slice { after, size: 2 }).await.expect("a page");
        seen.extend(page.items.iter().map(|queue| queue.settings.name.id().to_owned()));
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(page.items.len(), 2);
    }
    assert_eq!(seen, ["B", "a-1", "b", "q"]);
    let stats = store.stats().await.expect("stats");
    let names: Vec<String> = stats.iter().map(|stats| stats.queue.settings.name.to_string()).collect();
    assert_eq!(names.len(), 5);
    assert!(names.is_sorted(), "{names:?}");
    let served: Vec<String> =
        store.queue_names().await.expect("names").iter().map(ToString::to_string).collect();
    assert_eq!(served, names);
}

pub(crate) async fn a_declared_queue_is_changed_only_by_its_declaration(bench: Bench) {
    let store = &bench.store;
    let declared = QueueSettings { declared: true, ..settings("q") };
    assert!(store.put_queue(declared.clone(), Put::Upsert).await.is_ok());
    assert_eq!(store.put_queue(settings("q"), Put::Upsert).await, Err(Error::QueueIsDeclared));
    assert_eq!(store.delete_queue(&bench.queue).await, Err(Error::QueueIsDeclared));
    assert!(store.put_queue(declared, Put::Upsert).await.is_ok());
    assert!(store.purge(&bench.queue).await.is_ok());
    assert!(store.set_state(&bench.queue, State::Paused).await.is_ok());
    assert!(store.put_queue(settings("q"), Put::Release).await.is_ok(), "it is declared no more");
    assert!(store.put_queue(settings("q"), Put::Upsert).await.is_ok());
    assert_eq!(store.delete_queue(&bench.queue).await, Ok(()));
}

pub(crate) async fn the_name_of_a_deleted_queue_is_blocked_for_the_window(bench: Bench) {
    let store = &bench.store;
    bench.create_all(&["a", "b"]).await;
    bench.kill("dead").await;
    let leased = bench.lease_one().await;
    store.delete_queue(&bench.queue).await.expect("it is there");
    assert_eq!(store.queue(&bench.queue).await, Err(Error::NoQueue));
    assert_eq!(bench.settle(&leased, status(200)).await, Settled::Fenced);
    bench.clock.advance(WINDOW - SECOND);
    for put in [Put::Create, Put::Upsert] {
        assert_eq!(store.put_queue(settings("q"), put).await, Err(Error::QueueExistedRecently));
    }
    bench.clock.advance(SECOND);
    store.put_queue(settings("q"), Put::Create).await.expect("the name is free");
    assert_eq!((bench.task_ids().await.len(), bench.dead_ids().await.len()), (0, 0));
    bench.create("a").await.expect("the names of its tasks are free, too");

    store.delete_queue(&bench.queue).await.expect("it is there");
    let declared = QueueSettings { declared: true, ..settings("q") };
    store.put_queue(declared, Put::Create).await.expect("mare.toml may at once");
}

pub(crate) async fn what_is_asked_of_no_queue_is_refused(bench: Bench) {
    let store = &bench.store;
    let none = queue_name("none");
    let task = none.task("t").expect("a name");
    assert_eq!(store.queue(&none).await, Err(Error::NoQueue));
    assert_eq!(store.set_state(&none, State::Paused).await, Err(Error::NoQueue));
    assert_eq!(store.purge(&none).await, Err(Error::NoQueue));
    assert_eq!(store.delete_queue(&none).await, Err(Error::NoQueue));
    assert_eq!(store.tasks(&none, whole()).await.err(), Some(Error::NoQueue));
    assert_eq!(store.lease(&none, 1).await.err(), Some(Error::NoQueue));
    assert_eq!(store.dead_letters(&none, whole()).await.err(), Some(Error::NoQueue));
    assert_eq!(store.redrive(&none, None).await, Err(Error::NoQueue));
    assert_eq!(store.forget_dead(&none, None).await, Err(Error::NoQueue));
    assert_eq!(bench.create_with(new_task(&none, "t")).await, Err(Error::NoQueue));
    assert_eq!(store.task(&task).await, Err(Error::NoTask));
    assert_eq!(store.delete(&task).await, Err(Error::NoTask));
    assert_eq!(store.run(&task).await.err(), Some(Error::NoTask));
}

pub(crate) async fn a_purge_ends_all_tasks_and_keeps_dead_letters(bench: Bench) {
    bench.kill("dead").await;
    bench.create_all(&["a", "b", "c"]).await;
    let leased = bench.lease_one().await;
    let purged = bench.store.purge(&bench.queue).await.expect("it is there");
    assert_eq!(purged.purged_at, Some(bench.clock.now()));
    assert_eq!(bench.store.queue(&bench.queue).await, Ok(purged));
    assert!(bench.task_ids().await.is_empty());
    assert_eq!(bench.dead_ids().await, ["dead"]);
    assert_eq!(bench.settle(&leased, status(200)).await, Settled::Fenced);
    assert_eq!(bench.create("b").await, Err(Error::TaskExists), "purged is ended");
    let lease = bench.lease(9).await;
    assert_eq!((lease.tasks.len(), lease.again_at), (0, None));
    let stats = bench.stats().await;
    assert_eq!((stats.backlog, stats.due, stats.leased, stats.dead), (0, 0, 0, 1));
}

pub(crate) async fn a_paused_queue_takes_tasks_and_gives_none(bench: Bench) {
    bench.store.set_state(&bench.queue, State::Paused).await.expect("it is there");
    bench.create("a").await.expect("a new name");
    let lease = bench.lease(1).await;
    assert_eq!((lease.tasks.len(), lease.again_at), (0, None));
    assert_eq!(bench.stats().await.due, 1);
    let queue = bench.store.set_state(&bench.queue, State::Running).await.expect("it is there");
    assert_eq!(queue.state, State::Running);
    assert_eq!(ids(&bench.lease(1).await.tasks), ["a"]);
}
