use super::*;

async fn create(bench: &Bench, id: &str, priority: i16, key: &str, after: u32) {
    let mut new = new_task(&bench.queue, id);
    new.spec.priority = priority;
    new.spec.fairness_key = key.to_owned();
    new.schedule_time = Some(bench.clock.now() + after * SECOND);
    bench.create_with(new).await.expect("a new name");
}

pub(crate) async fn priority_goes_before_time(bench: Bench) {
    for (id, priority, after) in [("usual", 0, 0), ("low", -1, 0), ("high", 5, 3), ("highest", 100, 9)] {
        create(&bench, id, priority, "", after).await;
    }
    bench.clock.advance(5 * SECOND);
    assert_eq!(ids(&bench.lease(9).await.tasks), ["high", "usual", "low"]);
    bench.clock.advance(5 * SECOND);
    assert_eq!(ids(&bench.lease(9).await.tasks), ["highest"]);
}

pub(crate) async fn keys_take_turns(bench: Bench) {
    for (id, key, after) in
        [("a1", "a", 0), ("a2", "a", 0), ("a3", "a", 0), ("b1", "b", 2), ("b2", "b", 2), ("e1", "", 1)]
    {
        create(&bench, id, 0, key, after).await;
    }
    bench.clock.advance(3 * SECOND);
    assert_eq!(ids(&bench.lease(4).await.tasks), ["a1", "e1", "b1", "a2"]);
    // The key that is new goes first, then those served longest ago, whether or not they had nothing in between.
    create(&bench, "e2", 0, "", 0).await;
    create(&bench, "c1", 0, "c", 0).await;
    assert_eq!(ids(&bench.lease(9).await.tasks), ["c1", "e2", "b2", "a3"]);
}

pub(crate) async fn within_a_key_time_decides_then_creation(bench: Bench) {
    for (id, after) in [("z", 1), ("y", 1), ("late", 2), ("x", 1), ("first", 0)] {
        create(&bench, id, 0, "k", after).await;
    }
    bench.clock.advance(3 * SECOND);
    assert_eq!(ids(&bench.lease(9).await.tasks), ["first", "z", "y", "x", "late"]);
}

pub(crate) async fn leasing_many_is_leasing_one_many_times(bench: Bench) {
    bench.store.put_queue(settings("other"), Put::Create).await.expect("a new queue");
    let other = queue_name("other");
    for number in 0..12 {
        for queue in [&bench.queue, &other] {
            let mut new = new_task(queue, &format!("t{number}"));
            new.spec.priority = number % 2;
            new.spec.fairness_key = (number % 3).to_string();
            bench.create_with(new).await.expect("a new name");
        }
    }
    let many = bench.lease(12).await.tasks;
    let mut one_by_one = Vec::new();
    for _ in 0..12 {
        one_by_one.extend(bench.store.lease(&other, 1).await.expect("the queue is there").tasks);
    }
    assert_eq!(ids(&many), ids(&one_by_one));
    assert_eq!(many.len(), 12);
}
