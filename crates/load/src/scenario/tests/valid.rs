use std::path::PathBuf;
use std::time::Duration;

use mare_manifest::model::objective::{Limits, Percentile};
use serde_json::json;

use super::super::*;
use super::{read, with_step};

const SMALLEST: &str = r#"
    stages = [{ users = 10, hold = "30s" }]
    flows = [{ steps = [{ request = "GET /items?page=2" }] }]
"#;

#[test]
fn what_is_not_said_has_its_default() {
    let step = Step {
        name: "GET /items".to_owned(),
        method: http::Method::GET,
        path: Template(vec![Part::Literal("/items?page=2".to_owned())]),
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_secs(10),
        extract: Vec::new(),
        expect: Expect::default(),
    };
    let flow = Flow {
        name: "GET /items".to_owned(),
        weight: 1.0,
        pause: Pause::Think(Span::Fixed(Duration::ZERO)),
        steps: vec![step],
    };
    let expected = Scenario {
        name: "read".to_owned(),
        manifest: None,
        target: Target { url: "http://127.0.0.1:8080".to_owned(), http: HttpVersion::Http1 },
        model: Model::Users,
        stages: vec![Stage { level: 10.0, ramp: Duration::ZERO, hold: Duration::from_secs(30) }],
        setup: Vec::new(),
        setup_every: None,
        flows: vec![flow],
        feeds: BTreeMap::new(),
        thresholds: BTreeMap::new(),
    };
    assert_eq!(read(SMALLEST), Ok(expected));
}

#[test]
fn all_of_it_is_read() {
    let scenario = read(include_str!("whole.toml")).expect("valid");
    assert_eq!(scenario.name, "mixed");
    assert_eq!(scenario.manifest, Some(PathBuf::from("load/../mare.toml")));
    assert_eq!(scenario.target, Target { url: "https://[::1]:8443".to_owned(), http: HttpVersion::Http2 });
    assert_eq!(scenario.users_max(), 1000);
    assert_eq!(scenario.duration(), Duration::from_secs(150));
    let pauses: Vec<Pause> = scenario.flows.iter().map(|flow| flow.pause).collect();
    let (s1, s3) = (Duration::from_secs(1), Duration::from_secs(3));
    assert_eq!(pauses, [Pause::Think(Span::Uniform(s1, s3)), Pause::Pacing(Span::Exponential(s3))]);

    let create = &scenario.flows[0].steps[0];
    let source = [
        ("id".to_owned(), Source::Json("/id".to_owned())),
        ("location".to_owned(), Source::Header(http::header::LOCATION)),
        ("session".to_owned(), Source::Cookie("sid".to_owned())),
    ];
    assert_eq!(create.extract, source);
    assert_eq!(create.expect.status, [http::StatusCode::CREATED, http::StatusCode::ACCEPTED]);
    assert_eq!(create.expect.contains.as_deref(), Some("id"));
    assert_eq!(create.expect.json, [("/items/0".to_owned(), json!({ "n": 1.5, "tags": ["a"] }))]);
    assert_eq!(create.timeout, Duration::from_secs(3));

    let limits = Limits {
        latency: vec![
            (Percentile::P95, Duration::from_millis(300)),
            (Percentile::P999, Duration::from_secs(2)),
        ],
        errors: Some(0.005),
        availability: None,
    };
    let threshold = Threshold { step: Some("create".to_owned()), limits };
    assert_eq!(scenario.thresholds["create"], threshold);

    let given = Rows::Given(vec![
        vec!["1".to_owned(), "ana@example.com".to_owned()],
        vec!["2".to_owned(), "bob, \"x\"".to_owned()],
    ]);
    assert_eq!(scenario.feeds["accounts"].columns, ["id", "email"]);
    assert_eq!(scenario.feeds["accounts"].rows, given);
    assert_eq!(scenario.feeds["accounts"].order, Order::Random);
    assert_eq!(scenario.feeds["inline"].rows, Rows::Given(vec![vec!["7".into()], vec!["true".into()]]));
    assert_eq!(scenario.feeds["people"].count(), 5000);
}

#[test]
fn rates_make_an_open_model() {
    let read = |extra: &str| {
        let source = format!(
            "{extra}\nstages = [{{ rate = \"30/m\", ramp = \"1m\" }}]\nflows = [{{ steps = [{{ request = \"GET /\" }}] }}]"
        );
        super::read(&source).expect("valid")
    };
    assert_eq!(read("").model, Model::Rate { users_max: 1000 });
    let scenario = read("users_max = 5");
    assert_eq!((scenario.model, scenario.users_max()), (Model::Rate { users_max: 5 }, 5));
    assert!((scenario.stages[0].level - 0.5).abs() < f64::EPSILON);
}

#[test]
fn a_body_brings_its_content_type() {
    let check = |keys: &str, expected: Option<&str>| {
        let scenario = read(&with_step(&format!("request = \"POST /x\"\n{keys}"))).expect(keys);
        let headers = &scenario.flows[0].steps[0].headers;
        let found: Vec<_> = headers.iter().map(|(_, value)| value.as_literal().expect("literal")).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{keys}");
    };
    check("json = {}", Some("application/json"));
    check("form = { a = \"b\" }", Some("application/x-www-form-urlencoded"));
    check("body = \"x\"", None);
    check("json = {}\nheaders = { Content-Type = \"application/ld+json\" }", Some("application/ld+json"));
}

#[test]
fn the_environment_is_known_and_not_shown() {
    let source = with_step("request = \"GET /${env.SECRET}\"\nheaders = { x = \"${env.NOT_SET:-a b}\" }");
    let scenario = read(&source).expect("valid");
    assert!(!format!("{scenario:?}").contains("hunter2"));
    assert_eq!(scenario.step_runs()[0].request, "GET /${env.SECRET}");
}

#[test]
fn a_step_is_described_as_it_is_written() {
    let check = |path: &str| {
        let scenario = read(&with_step(&format!("request = 'GET {path}?token=${{token}}'"))).expect(path);
        let step = &scenario.step_runs()[0];
        assert_eq!((&step.name, &step.request), (&format!("GET {path}"), &format!("GET {path}")));
    };
    check("/a/${accounts.id}/${user}${iteration}");
    check("/${token}/${uuid}/${random(-1, 5)}/${pick(a, b c)}/${today}/${today(-30)}");
}

#[test]
fn the_schema_has_every_key() {
    let schema = super::super::schema();
    let step = &schema["properties"]["flows"]["items"]["properties"]["steps"]["items"];
    assert_eq!(step["required"], json!(["request"]));
    assert_eq!(step["properties"]["expect"]["properties"]["status"]["anyOf"][0]["maximum"], 599);
    assert_eq!(
        schema["properties"]["thresholds"]["additionalProperties"]["properties"]["errors"]["type"],
        "string"
    );
}
