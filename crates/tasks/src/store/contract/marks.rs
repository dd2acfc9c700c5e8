use super::*;

pub(crate) async fn a_mark_is_raised_once_with_its_tasks(bench: Bench) {
    assert_eq!(bench.store.mark("clock").await, Ok(None));
    assert_eq!(bench.store.advance("clock", 7, vec![new_task(&bench.queue, "seven")]).await, Ok(true));
    for to in [7, 6, i64::MIN] {
        assert_eq!(bench.store.advance("clock", to, vec![new_task(&bench.queue, "again")]).await, Ok(false));
    }
    assert_eq!(bench.store.mark("clock").await, Ok(Some(7)));
    assert_eq!(bench.store.mark("other").await, Ok(None));
    assert_eq!(bench.task_ids().await, ["seven"]);
    assert_eq!(bench.store.advance("clock", 8, Vec::new()).await, Ok(true));
    assert_eq!(bench.store.mark("clock").await, Ok(Some(8)));
}

pub(crate) async fn a_taken_name_does_not_keep_a_mark_down(bench: Bench) {
    bench.create_all(&["living", "ended"]).await;
    bench.store.delete(&bench.queue.task("ended").expect("a name")).await.expect("it lives");
    let tasks = ["living", "ended", "new"].map(|id| new_task(&bench.queue, id)).to_vec();
    assert_eq!(bench.store.advance("clock", 1, tasks).await, Ok(true));
    assert_eq!(bench.task_ids().await, ["living", "new"]);
}

pub(crate) async fn without_its_queue_a_mark_stays_where_it_was(bench: Bench) {
    let absent = QueueName::below(PARENT, "absent").expect("a name");
    let tasks = vec![new_task(&bench.queue, "one"), new_task(&absent, "two")];
    assert_eq!(bench.store.advance("clock", 1, tasks).await, Err(Error::NoQueue));
    assert_eq!(bench.store.mark("clock").await, Ok(None));
    assert_eq!(bench.task_ids().await, [] as [&str; 0]);
}
