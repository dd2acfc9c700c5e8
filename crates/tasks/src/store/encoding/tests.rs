use super::*;

fn spec() -> Spec {
    let request = HttpRequest {
        method: http::Method::PUT,
        url: "http://worker.mare.internal/t".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())],
        body: Bytes::from_static(b"\x00\xff"),
        token: Some(Token::Oidc { email: "a@b".to_owned(), audience: None }),
    };
    let retry = Retry { attempts: None, duration: Some(Duration::from_millis(1500)), ..Retry::default() };
    let dispatch_deadline = Duration::from_secs(600);
    Spec { request, dispatch_deadline, retry: Some(retry), priority: -7, fairness_key: "k".to_owned() }
}

/// What version 1 wrote of `spec()` on the day it was made. It must be readable for ever.
const SPEC_V1: &str = "010a03505554121d687474703a2f2f776f726b65722e6d6172652e696e7465726e616c2f741a080a03582d411201311a\
    080a03782d61120132220200ff2a051203614062320308d8043a18120808011080cab5ee011a051080c2d72f22030890\
    1c2810400d4a016b";

/// The same of `progress(…)` with status 503.
const PROGRESS_V1: &str =
    "01080310021801208280c489e5c5b2062a1d0801108480c489e5c5b2061a10088680c489e5c5b20610f7031a020807";

/// The same of `settings()`.
const SETTINGS_V1: &str = "010a1f70726f6a656374732f702f6c6f636174696f6e732f6c2f7175657565732f7111000000000000f07f180520092a\
    1008641a051080c2d72f220308901c28103206776f726b65723a022f744801";

fn progress(answer: Answer) -> Progress {
    let at = |micros| Timestamp::from_microsecond(micros).expect("a time");
    let outcome = Some(Outcome { at: at(1_800_000_000_000_003), answer });
    let last_attempt = Some(Attempt { scheduled: at(-1), dispatched: at(1_800_000_000_000_002), outcome });
    Progress {
        dispatched: 3,
        answered: 2,
        executed: 1,
        first_attempt: Some(at(1_800_000_000_000_001)),
        last_attempt,
    }
}

fn settings() -> QueueSettings {
    QueueSettings {
        name: QueueName::parse("projects/p/locations/l/queues/q").expect("a name"),
        limits: RateLimits { per_second: f64::INFINITY, burst: 5, concurrent: 9 },
        retry: Retry::default(),
        target: Some(Target::Service { service: "worker".to_owned(), path: "/t".to_owned() }),
        declared: true,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string grows");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

#[test]
fn what_version_1_wrote_is_read() {
    let refused = Answer::Status { status: 503, retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(read_spec(&unhex(SPEC_V1)).expect("readable"), spec(), "now: {}", hex(&write_spec(&spec())));
    let now = hex(&write_progress(&progress(refused.clone())));
    assert_eq!(read_progress(&unhex(PROGRESS_V1)).expect("readable"), progress(refused), "now: {now}");
    let now = hex(&write_settings(&settings()));
    assert_eq!(read_settings(&unhex(SETTINGS_V1)).expect("readable"), settings(), "now: {now}");
}

#[test]
fn what_is_written_is_read() {
    for token in [None, Some(Token::OAuth { email: "e".to_owned(), scope: Some("s".to_owned()) })] {
        let mut spec = Spec { retry: None, ..spec() };
        spec.request.token = token;
        assert_eq!(read_spec(&write_spec(&spec)).expect("readable"), spec);
    }
    let unasked = Answer::Status { status: 200, retry_after: None };
    for answer in [Answer::Deadline, Answer::Broken("why".to_owned()), unasked] {
        let progress = progress(answer);
        assert_eq!(read_progress(&write_progress(&progress)).expect("readable"), progress);
    }
    let none = Progress::default();
    assert_eq!(read_progress(&write_progress(&none)).expect("readable"), none);
    for target in [None, Some(Target::Override(Bytes::from_static(b"\x01\x02")))] {
        let settings = QueueSettings { target, ..settings() };
        assert_eq!(read_settings(&write_settings(&settings)).expect("readable"), settings);
    }
}

#[test]
fn what_nobody_wrote_is_refused() {
    assert!(matches!(read_spec(&[]), Err(Unreadable::Empty)));
    assert!(matches!(read_spec(&[2, 0]), Err(Unreadable::Version(2))));
    assert!(matches!(read_spec(&[1, 0xff]), Err(Unreadable::Message(_))));
    assert!(matches!(read_progress(&[]), Err(Unreadable::Empty)));
    assert!(matches!(read_settings(&[1]), Err(Unreadable::Name(_))));
}
