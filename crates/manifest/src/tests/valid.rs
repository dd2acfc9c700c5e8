use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read;
use crate::cron::Cron;
use crate::model::alert::Alerts;
use crate::model::guard::{Cache, Guards};
use crate::model::objective::{self, Objective, Percentile, Subject};
use crate::model::queue::{Queue, QueueRetry, QueueTarget, Tasks};
use crate::model::schedule::{Missed, Schedule};
use crate::model::topic::{Outbox, Pattern, Topic};
use crate::model::{
    App, Backends, Database, Files, Health, Limits, Manifest, Origin, PathPattern, Resources, Route, Scale,
    Service, Target, Text,
};

/// The example of DESIGN.md, without the sections and keys of later issues.
const VALORIZA: &str = r#"
[app]
name = "valoriza"
drain = "30s"

[databases.finance]
url = "${DATABASE_URL:-}"
shared = true

[services.api]
run = "valoriza api"
image = "valoriza:latest"
database = "finance"
scale = { min = 0, max = 10, concurrency = 80 }
resources = { cpu = 0.5, memory = "512MiB" }
health = { path = "/health", every = "30s" }
timeout = "300s"
env = { RUST_LOG = "info" }

[services.worker]
run = "valoriza worker"
database = "finance"
scale = { min = 0, max = 10, concurrency = 8 }
internal = true

[[routes]]
match = "/api/auth/*"
service = "api"

[[routes]]
match = "/api/*"
service = "api"

[[routes]]
match = "/legacy/*"
url = "http://127.0.0.1:9000"

[[routes]]
match = "/*"
files = "ui/dist"

[queues.imports]
target = { service = "worker", path = "/tasks/import" }
rate = "500/s"
concurrency = 50
retry = { attempts = 10, min = "1s", max = "5m" }

[tasks]
external = ["127.0.0.1:9100"]

[schedules.monthly-report]
cron = "0 6 1 * *"
queue = "imports"

[objectives.read]
route = "GET /api/transactions"
p95 = "300ms"
errors = "0.5%"
availability = "99.5%"

[backends]
postgres = "${MARE_POSTGRES:-}"
redis = "${MARE_REDIS:-}"
"#;

fn words(run: &[&str]) -> Vec<Text> {
    run.iter().map(|word| Text::plain(*word)).collect()
}

fn route(name: &str, path: PathPattern, target: Target) -> Route {
    Route {
        name: name.to_owned(),
        method: None,
        host: None,
        path,
        target,
        body: None,
        guards: Guards::default(),
        cache: None,
    }
}

fn imports() -> Queue {
    Queue {
        target: Some(QueueTarget { service: "worker".to_owned(), path: Some("/tasks/import".to_owned()) }),
        rate: 500.0,
        burst: 100,
        concurrency: 50,
        retry: QueueRetry {
            attempts: Some(10),
            duration: None,
            min: Duration::from_secs(1),
            max: Duration::from_mins(5),
            doublings: 16,
        },
        deadline: Duration::from_mins(10),
    }
}

fn monthly_report() -> Schedule {
    Schedule {
        cron: Cron::parse("0 6 1 * *", "UTC").expect("a schedule"),
        queue: "imports".to_owned(),
        target: None,
        missed: Missed::Once,
    }
}

fn read_objective() -> Objective {
    Objective {
        on: Subject::Requests {
            method: Some("GET".to_owned()),
            path: PathPattern::Exact("/api/transactions".to_owned()),
        },
        limits: objective::Limits {
            latency: vec![(Percentile::P95, Duration::from_millis(300))],
            errors: Some(0.005),
            availability: Some(0.995),
        },
        window: Duration::from_hours(30 * 24),
    }
}

#[test]
fn the_example_of_the_design_is_read() {
    let below = |path: &str| PathPattern::Below(path.to_owned());
    let expected = Manifest {
        folder: PathBuf::from("/srv/shop"),
        app: App { name: "valoriza".to_owned(), drain: Duration::from_secs(30) },
        auth: None,
        api_keys: BTreeMap::new(),
        cache: Cache::default(),
        limits: Limits::default(),
        databases: [("finance".to_owned(), Database { url: None })].into(),
        services: [
            (
                "api".to_owned(),
                Service {
                    image: Some("valoriza:latest".to_owned()),
                    database: Some("finance".to_owned()),
                    resources: Resources { cpu: Some(0.5), memory: Some(512 << 20) },
                    health: Health { path: Some("/health".to_owned()), ..Health::default() },
                    env: [("RUST_LOG".to_owned(), Text::plain("info"))].into(),
                    ..Service::running(words(&["valoriza", "api"]))
                },
            ),
            (
                "worker".to_owned(),
                Service {
                    database: Some("finance".to_owned()),
                    scale: Scale { concurrency: 8, ..Scale::default() },
                    internal: true,
                    ..Service::running(words(&["valoriza", "worker"]))
                },
            ),
        ]
        .into(),
        routes: vec![
            route("/api/auth/*", below("/api/auth"), Target::Service("api".to_owned())),
            route("/api/*", below("/api"), Target::Service("api".to_owned())),
            route(
                "/legacy/*",
                below("/legacy"),
                Target::Url(Origin { host: "127.0.0.1".to_owned(), port: 9000 }),
            ),
            route("/*", below(""), Target::Files(Files { folder: "/srv/shop/ui/dist".into(), spa: false })),
        ],
        queues: [("imports".to_owned(), imports())].into(),
        tasks: Tasks {
            project: "valoriza".to_owned(),
            location: "local".to_owned(),
            external: vec!["127.0.0.1:9100".to_owned()],
            window: Duration::from_hours(1),
            dead: 10_000,
        },
        schedules: [("monthly-report".to_owned(), monthly_report())].into(),
        topics: [].into(),
        subscriptions: [].into(),
        objectives: [("read".to_owned(), read_objective())].into(),
        alerts: Alerts::default(),
        backends: Backends::default(),
    };
    assert_eq!(read(VALORIZA), Ok(expected));
}

#[test]
fn an_empty_file_and_a_bare_command_have_the_same_defaults() {
    let empty = read("").expect("nothing is required");
    assert_eq!(empty.app, App { name: "shop".to_owned(), drain: Duration::from_secs(30) });
    assert_eq!(empty.limits, Limits::default());

    let file = r#"
        [services.app]
        run = "python3 -m http.server '$PORT'"
        [[routes]]
        match = "/*"
        service = "app"
    "#;
    let command = ["python3", "-m", "http.server", "$PORT"].map(str::to_owned).to_vec();
    assert_eq!(read(file).expect("valid"), Manifest::for_command(command, PathBuf::from("/srv/shop")));
}

#[test]
fn the_application_is_named_after_its_folder() {
    let check = |folder: &str, expected: &str| {
        let manifest = crate::load("", Path::new("mare.toml"), folder.into(), &|_| None).expect("valid");
        assert_eq!(manifest.app.name, expected);
    };
    check("/srv/My Shop", "my-shop");
    check("/", "app");
    check("/srv/42", "app");
}

#[test]
fn events_say_whence_and_where_to() {
    let source = r#"
        [databases.main]
        [services.worker]
        run = "worker"
        [topics.events]
        outbox = { database = "main", table = "outbox" }
        fair = "tenant_id"
        [subscriptions.mail]
        topic = "events"
        only = ["order.*"]
        target = { service = "worker", path = "/mail" }
        concurrency = 8
    "#;
    let manifest = read(source).expect("valid");
    let outbox = Outbox { database: "main".to_owned(), table: "outbox".to_owned() };
    let topic = Topic { outbox: Some(outbox), fair: Some("tenant_id".to_owned()) };
    assert_eq!(manifest.topics["events"], topic);
    let mail = &manifest.subscriptions["mail"];
    assert_eq!((mail.topic.as_str(), mail.queue.concurrency), ("events", 8));
    assert_eq!(mail.only, [Pattern::new("order.*")]);
    let target = QueueTarget { service: "worker".to_owned(), path: Some("/mail".to_owned()) };
    assert_eq!(mail.queue.target, Some(target));
}

#[test]
fn alerts_say_where_they_go() {
    let source = r#"
        [services.api]
        run = "api"
        [[routes]]
        match = "/api/*"
        service = "api"
        [alerts]
        webhook = "${SECRET_HOOK}"
        slack = "${NOT_SET:-}"
        email = { smtp = "${NOT_SET:-}", from = "mare@example.com", to = ["team@example.com"] }
        every = "1s"
        slow = { pix = "POST /api/pix over 5s" }
    "#;
    let alerts = read(source).expect("valid").alerts;
    assert_eq!(alerts.webhook.expect("set").reveal(), "https://hooks.example.com/hunter2");
    assert_eq!((alerts.slack, alerts.email), (None, None));
    assert_eq!((alerts.every, alerts.repeat), (Duration::from_secs(1), Alerts::default().repeat));
    assert_eq!(alerts.slow["pix"].on.to_string(), "POST /api/pix");
    assert_eq!(alerts.slow["pix"].over, Duration::from_secs(5));
}

#[test]
fn a_queue_that_says_nothing_is_one_of_cloud_tasks() {
    let check = |source: &str, expected: (f64, u32, u32, Option<u32>)| {
        let queues = read(&format!("[queues.q]\n{source}")).expect("valid").queues;
        let Queue { rate, burst, concurrency, retry, .. } = queues["q"].clone();
        assert_eq!((rate, burst, concurrency, retry.attempts), expected, "{source}");
    };
    check("", (500.0, 100, 1000, Some(100)));
    check("rate = \"1/s\"", (1.0, 1, 1000, Some(100)));
    check("rate = \"30/m\"\nburst = 9", (0.5, 9, 1000, Some(100)));
    let unlimited = "rate = \"unlimited\"\nretry = { attempts = \"unlimited\" }";
    check(unlimited, (f64::INFINITY, 1_000_000, 1000, None));
    let parent = |source: &str| read(source).expect("valid").tasks.parent();
    assert_eq!(parent(""), "projects/shop/locations/local");
    assert_eq!(parent("[tasks]\nproject = \"p\"\nlocation = \"l\""), "projects/p/locations/l");
}

#[test]
fn values_with_spaces_stay_one_word() {
    let run = |run: &str| {
        let source = format!("[services.api]\nrun = '''{run}'''");
        let manifest = read(&source).expect("valid");
        manifest.services["api"].run.iter().map(|word| word.with_port(81)).collect::<Vec<_>>()
    };
    assert_eq!(run("api ${SECRET} --x"), ["api", "hunter2-Secret value", "--x"]);
    assert_eq!(run("sh -c 'cd a && exec b $PORT'"), ["sh", "-c", "cd a && exec b 81"]);
    assert_eq!(run("api \"${NOT_SET:-a b}\" ''"), ["api", "a b", ""]);
    assert_eq!(run("api --listen=:${PORT} $$PORT"), ["api", "--listen=:81", "$PORT"]);
}

#[test]
fn an_empty_optional_string_is_an_absent_one() {
    let source = r#"
        [app]
        name = "${NOT_SET:-}"
        [databases.main]
        url = "${EMPTY}"
        [services.api]
        run = "api"
        image = ""
        database = "${NOT_SET:-}"
        health = { path = "" }
        [[routes]]
        match = "/*"
        host = "${NOT_SET:-}"
        service = "api"
        [backends]
        postgres = ""
    "#;
    let manifest = read(source).expect("valid");
    assert_eq!(manifest.app.name, "shop");
    assert_eq!(manifest.databases["main"].url, None);
    assert_eq!(manifest.services["api"], Service::running(words(&["api"])));
    assert_eq!(manifest.routes[0].host, None);
    assert_eq!(manifest.backends, Backends::default());
}

#[test]
fn a_route_is_known_by_its_source() {
    let source = r#"
        [services.api]
        run = "api"
        [[routes]]
        match = "GET /${SERVICE}/*"
        host = "Shop.${NOT_SET:-Example}.com"
        service = "${SERVICE}"
        body = "1GiB"
        [[routes]]
        match = "GET /api/*"
        service = "api"
    "#;
    let manifest = read(source).expect("valid");
    let expected = Route {
        name: "GET /${SERVICE}/*".to_owned(),
        method: Some("GET".to_owned()),
        host: Some("shop.example.com".to_owned()),
        path: PathPattern::Below("/api".to_owned()),
        target: Target::Service("api".to_owned()),
        body: Some(1 << 30),
        guards: Guards::default(),
        cache: None,
    };
    assert_eq!(manifest.routes[0], expected);
}
