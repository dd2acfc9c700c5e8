use super::*;
use crate::model::{Progress, Token};

pub(crate) async fn a_task_reads_back_as_it_was_created(bench: Bench) {
    let now = bench.clock.now();
    let mut new = new_task(&bench.queue, "full");
    new.schedule_time = Some(now + Duration::from_nanos(1_234_567_891));
    new.spec.retry = Some(Retry { attempts: None, duration: Some(7 * SECOND), ..Retry::default() });
    new.spec.priority = -100;
    new.spec.fairness_key = "José".to_owned();
    new.spec.request.method = http::Method::PATCH;
    let token = Token::Oidc { email: "a@b".to_owned(), audience: Some("aud".to_owned()) };
    new.spec.request.token = Some(token);
    let task = bench.create_with(new.clone()).await.expect("a new name");
    assert_eq!(*task.spec, new.spec);
    assert_eq!((task.create_time, task.progress.clone()), (now, Progress::default()));
    assert_eq!(task.schedule_time, now + Duration::from_micros(1_234_567));
    assert_eq!(bench.task("full").await, Ok(task));

    new.id = Some("bare".to_owned());
    new.spec.request.token = Some(Token::OAuth { email: String::new(), scope: None });
    new.spec.request.body = Bytes::new();
    new.spec.request.headers.clear();
    let task = bench.create_with(new).await.expect("a new name");
    assert_eq!(bench.task("bare").await, Ok(task));
}

pub(crate) async fn a_name_is_taken_while_the_task_lives_and_for_the_window_after(bench: Bench) {
    bench.create_all(&["done", "deleted"]).await;
    assert_eq!(bench.create("done").await, Err(Error::TaskExists));
    bench.store.delete(&bench.queue.task("deleted").expect("a name")).await.expect("it lives");
    bench.kill("dead").await;
    let leased = bench.lease_one().await;
    assert_eq!(bench.settle(&leased, status(200)).await, Settled::Succeeded);

    bench.clock.advance(WINDOW - Duration::from_micros(1));
    for id in ["done", "deleted", "dead"] {
        let name = bench.queue.task(id).expect("a name");
        assert_eq!(bench.create(id).await, Err(Error::TaskExists), "{id}");
        assert_eq!(bench.task(id).await, Err(Error::TaskEnded), "{id}");
        assert_eq!(bench.store.delete(&name).await, Err(Error::TaskEnded), "{id}");
        assert_eq!(bench.store.run(&name).await.err(), Some(Error::TaskEnded), "{id}");
    }
    bench.clock.advance(Duration::from_micros(1));
    for id in ["done", "deleted", "dead"] {
        assert_eq!(bench.task(id).await, Err(Error::NoTask), "{id}");
        assert!(bench.create(id).await.is_ok(), "{id}");
    }
}

pub(crate) async fn one_write_creates_what_can_be_created(bench: Bench) {
    bench.create("taken").await.expect("a new name");
    let new = |queue: &str, id: &str| new_task(&queue_name(queue), id);
    let tasks = vec![new("q", "a"), new("q", "taken"), new("none", "b"), new("q", "a"), new("q", "c")];
    let created = bench.store.create(tasks).await;
    let seen: Vec<Result<&str, &Error>> =
        created.iter().map(|task| task.as_ref().map(|task| &*task.name.id)).collect();
    assert_eq!(
        seen,
        [Ok("a"), Err(&Error::TaskExists), Err(&Error::NoQueue), Err(&Error::TaskExists), Ok("c")]
    );
    assert_eq!(bench.task_ids().await, ["a", "c", "taken"]);
    assert!(bench.store.create(Vec::new()).await.is_empty());
}

pub(crate) async fn made_ids_differ(bench: Bench) {
    let new = NewTask { id: None, ..new_task(&bench.queue, "x") };
    let created = bench.store.create(vec![new; 50]).await;
    let mut names: Vec<String> =
        created.into_iter().map(|task| task.expect("a made name").name.to_string()).collect();
    assert!(names.iter().all(|name| crate::model::TaskName::parse(name).is_ok()), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 50);
    let leased = bench.lease_one().await;
    assert_eq!(bench.settle(&leased, status(200)).await, Settled::Succeeded);
    assert_eq!(
        bench.store.task(&leased.task.name).await,
        Err(Error::NoTask),
        "made ids leave nothing behind"
    );
}

pub(crate) async fn tasks_are_listed_by_name_in_pages(bench: Bench) {
    bench.create_all(&["b", "a", "B", "_", "c-1", "c"]).await;
    let page = |after: Option<&str>, size| {
        let slice = Slice { after: after.map(str::to_owned), size };
        let store = Arc::clone(&bench.store);
        let queue = bench.queue.clone();
        async move {
            let page = store.tasks(&queue, slice).await.expect("a page");
            (page.items.iter().map(|task| task.name.id.to_string()).collect::<Vec<_>>(), page.next)
        }
    };
    let (first, next) = page(None, 4).await;
    assert_eq!(first, ["B", "_", "a", "b"]);
    assert!(next.is_some());
    assert_eq!(page(next.as_deref(), 2).await, (vec!["c".to_owned(), "c-1".to_owned()], None));
}

pub(crate) async fn schedule_times_in_the_past_are_now(bench: Bench) {
    let past = Some(bench.clock.now() - SECOND);
    let task = bench.create_with(NewTask { schedule_time: past, ..new_task(&bench.queue, "a") }).await;
    assert_eq!(task.expect("a new name").schedule_time, bench.clock.now());
    let future = Some(bench.clock.now() + SECOND);
    bench
        .create_with(NewTask { schedule_time: future, ..new_task(&bench.queue, "b") })
        .await
        .expect("a new name");
    let lease = bench.lease(2).await;
    assert_eq!((ids(&lease.tasks), lease.again_at), (vec!["a"], future));
    bench.clock.advance(SECOND);
    assert_eq!(ids(&bench.lease(2).await.tasks), ["b"]);
}
