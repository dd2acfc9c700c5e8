use mare_slo::Tally;

use super::*;

const MANIFEST: &str = "
    [services.api]
    run = 'api'
    [[routes]]
    match = '/*'
    service = 'api'
    [objectives.read]
    route = 'GET /items'
    p50 = '100ms'
    p95 = '300ms'
    errors = '0.5%'
    availability = '99.5%'
    [alerts.slow]
    pix = 'POST /pix over 5s'
";

fn manifest(source: &str) -> Manifest {
    mare_manifest::load(source, "mare.toml".as_ref(), "/".into(), &|_| None)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn board(kept: Histories) -> Board {
    Board::new(&manifest(MANIFEST), kept, at(0))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).expect("in range")
}

fn snapshot(total: u64, errors: u64, within: [u64; 2], slow: u64) -> Snapshot {
    let counts = Counts { tally: Tally { total, errors, unavailable: 0 }, within: within.to_vec() };
    Snapshot { objectives: [("read".to_owned(), counts)].into(), slow: [("pix".to_owned(), slow)].into() }
}

fn alerts(conditions: &[Condition]) -> Vec<&str> {
    conditions.iter().map(|condition| condition.alert.as_str()).collect()
}

#[test]
fn every_clause_is_judged_by_its_own_counts() {
    let mut board = board(Histories::new());
    board.evaluate(at(0), &Snapshot::default());
    let conditions = board.evaluate(at(60), &snapshot(1000, 100, [900, 950], 0));
    assert_eq!(alerts(&conditions), ["read/errors"]);
    assert_eq!(conditions[0].severity, Severity::Page);
    assert!(
        conditions[0].reason.starts_with("errors ≤ 0.5% of GET /items burns 20x"),
        "{}",
        conditions[0].reason
    );
    let report = board.report(at(60), &Firing::default());
    let objective = &report.objectives[0];
    assert_eq!(
        (objective.name.as_str(), objective.on.as_str(), objective.requests),
        ("read", "GET /items", 1000)
    );
    let good: Vec<(&str, u64, bool)> =
        objective.clauses.iter().map(|one| (one.clause.as_str(), one.good, one.met)).collect();
    let expected =
        [("p50", 900, true), ("p95", 950, true), ("errors", 900, false), ("availability", 1000, true)];
    assert_eq!(good, expected);
    let errors = objective.tightest().expect("it has clauses");
    assert_eq!((errors.clause.as_str(), errors.budget_left, errors.measured), ("errors", -19.0, Some(0.9)));
    assert_eq!(errors.exhausted_in_seconds, Some(0));
    let windows: Vec<&str> = errors.burn_rates.iter().map(|burn| burn.window.as_str()).collect();
    assert_eq!(windows, ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]);
}

#[test]
fn a_slow_request_is_a_condition_once() {
    let mut board = board(Histories::new());
    let conditions = board.evaluate(at(0), &snapshot(0, 0, [0, 0], 2));
    assert_eq!(alerts(&conditions), ["pix"]);
    assert_eq!(conditions[0].reason, "2 requests of POST /pix took longer than 5s");
    assert_eq!(board.evaluate(at(10), &snapshot(0, 0, [0, 0], 2)), Vec::new());
    assert_eq!(alerts(&board.evaluate(at(20), &snapshot(0, 0, [0, 0], 3))), ["pix"]);
}

#[test]
fn counters_read_in_the_middle_of_a_request_are_no_restart() {
    let mut board = board(Histories::new());
    board.evaluate(at(0), &snapshot(10, 0, [10, 10], 0));
    // The error is counted, its request not yet.
    board.evaluate(at(10), &snapshot(10, 1, [10, 10], 0));
    board.evaluate(at(20), &snapshot(11, 1, [10, 10], 0));
    let report = board.report(at(20), &Firing::default());
    let errors = &report.objectives[0].clauses[2];
    assert_eq!((errors.good, errors.total), (10, 11));
}

#[test]
fn a_history_goes_on_as_long_as_it_counts_the_same() {
    let mut board = board(Histories::new());
    board.evaluate(at(10), &snapshot(100, 10, [40, 90], 0));
    let kept = board.histories();
    let check = |from: &str, to: &str, expected: [u64; 4]| {
        let changed = manifest(&MANIFEST.replace(from, to));
        let report = Board::new(&changed, kept.clone(), at(20)).report(at(20), &Firing::default());
        let totals: Vec<u64> = report.objectives[0].clauses.iter().map(|clause| clause.total).collect();
        assert_eq!(totals, expected, "{from} became {to}");
    };
    check("", "", [100; 4]);
    check("0.5%", "1%", [100; 4]);
    check("300ms", "200ms", [100, 0, 100, 100]);
    check("GET /items", "GET /pix", [0; 4]);
}

#[test]
fn every_alert_there_can_be_has_a_name() {
    let names: Vec<String> = board(Histories::new()).alerts().map(str::to_owned).collect();
    assert_eq!(names, ["read/p50", "read/p95", "read/errors", "read/availability", "pix"]);
}
