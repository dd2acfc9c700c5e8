//! How well crates tell attacks from innocent requests; docs/decisions/004 has the figures.
//!
//! Each line of the corpus is one value of a request's query, behind what kind it is. `cargo run --release` counts
//! what each candidate takes for an attack, and how long it looks at an innocent one; `-v` lists its mistakes.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use waf_core::{Bytes, Config, Decision, Normalized, RequestContext, WafModule};

type Detector = Box<dyn Fn(&str) -> bool>;

/// How often the innocent corpus is looked at to measure the time.
const ROUNDS: u32 = 400;

fn main() {
    let is_verbose = std::env::args().any(|argument| argument == "-v");
    let (attacks, innocent) =
        (corpus(include_str!("../corpus/attacks.txt")), corpus(include_str!("../corpus/innocent.txt")));
    for (name, detector) in candidates() {
        println!("{name}");
        count("  detected", &attacks, |value| detector(value), is_verbose.then_some(false));
        count("  false alarms", &innocent, |value| detector(value), is_verbose.then_some(true));
        let started = on_cpu();
        for _ in 0..ROUNDS {
            for (_, value) in &innocent {
                black_box(detector(black_box(value)));
            }
        }
        let looks = ROUNDS * u32::try_from(innocent.len()).expect("a small corpus");
        println!("  CPU per value: {:?}", (on_cpu() - started) / looks);
    }
}

/// What this thread has had of a processor; others may be busy, too.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("this is Linux");
    Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds"))
}

fn corpus(text: &'static str) -> Vec<(&'static str, &'static str)> {
    text.lines().map(|line| line.split_once(' ').expect("a kind and a value")).collect()
}

fn count(what: &str, corpus: &[(&str, &str)], detect: impl Fn(&str) -> bool, list: Option<bool>) {
    let mut kinds = BTreeMap::<&str, (u32, u32)>::new();
    for (kind, value) in corpus {
        let is_detected = detect(value);
        for kind in [kind, "all"] {
            let (found, of) = kinds.entry(kind).or_default();
            *found += u32::from(is_detected);
            *of += 1;
        }
        if list == Some(is_detected) {
            println!("    {kind} {value}");
        }
    }
    let texts: Vec<_> = kinds
        .iter()
        .map(|(kind, (found, of))| {
            format!("{kind} {found}/{of} ({:.0} %)", f64::from(*found) * 100.0 / f64::from(*of))
        })
        .collect();
    println!("{what}: {}", texts.join(", "));
}

fn candidates() -> Vec<(&'static str, Detector)> {
    vec![
        (
            "libinjectionrs, SQL only",
            Box::new(|value| libinjectionrs::detect_sqli(value.as_bytes()).is_injection()),
        ),
        (
            "libinjectionrs, XSS only",
            Box::new(|value| libinjectionrs::detect_xss(value.as_bytes()).is_injection()),
        ),
        (
            "libinjectionrs",
            Box::new(|value| {
                let bytes = value.as_bytes();
                libinjectionrs::detect_sqli(bytes).is_injection()
                    || libinjectionrs::detect_xss(bytes).is_injection()
            }),
        ),
        ("zentinel-modsec, @detectSQLi and @detectXSS", modsec()),
        ("waf-detection, SQL, XSS, paths, files", waf()),
        ("security-rust, refused at High", security()),
    ]
}

/// The engine without a rule set of its own: the rules that name its own detectors.
fn modsec() -> Detector {
    let rules = "SecRuleEngine On\n\
                 SecRule ARGS \"@detectSQLi\" \"id:1,phase:2,deny,status:403\"\n\
                 SecRule ARGS \"@detectXSS\" \"id:2,phase:2,deny,status:403\"\n";
    let engine = zentinel_modsec::ModSecurity::from_string(rules).expect("rules");
    Box::new(move |value| {
        let mut look = engine.new_transaction();
        let uri = format!("/search?q={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        look.process_uri(&uri, "GET", "HTTP/1.1").expect("a request");
        look.add_request_header("Host", "shop.example").expect("a header");
        look.process_request_headers().expect("headers");
        look.process_request_body().expect("no body");
        look.intervention().is_some()
    })
}

fn waf() -> Detector {
    let config = Config::default();
    let mut modules: Vec<Box<dyn WafModule>> = vec![
        Box::new(waf_detection::sqli::SqliModule::new()),
        Box::new(waf_detection::xss::XssModule::new()),
        Box::new(waf_detection::path_traversal::PathTraversalModule::new()),
        Box::new(waf_detection::lfi_rfi::LfiRfiModule::new()),
    ];
    modules.iter_mut().for_each(|module| module.init(&config));
    let normalizer = waf_normalizer::Normalizer::new(&config.limits);
    let (scores, threshold) = (config.waf.severity_scores.clone(), config.waf.block_threshold);
    Box::new(move |value| {
        let mut request = RequestContext {
            client_ip: "127.0.0.1".parse().expect("an address"),
            request_id: String::new(),
            timestamp: std::time::SystemTime::now(),
            method: "GET".to_owned(),
            path: "/search".to_owned(),
            raw_path: "/search".to_owned(),
            query: Some(format!("q={}", utf8_percent_encode(value, NON_ALPHANUMERIC))),
            http_version: "HTTP/1.1".to_owned(),
            headers: vec![("host".to_owned(), "shop.example".to_owned())],
            cookies: Vec::new(),
            body: Bytes::new(),
            normalized: Normalized::default(),
            score: 0,
            score_contributions: Vec::new(),
        };
        if normalizer.normalize(&mut request).is_err() {
            return true;
        }
        let mut sum = 0;
        for module in &modules {
            match module.inspect(&request) {
                Decision::Allow | Decision::Monitor { .. } => {}
                Decision::Score { points, .. } => sum += points,
                Decision::Scores(items) => {
                    sum += items.iter().map(|item| scores.points_for(item.severity)).sum::<u32>();
                }
                _ => return true,
            }
        }
        sum >= threshold
    })
}

/// As its own example refuses.
fn security() -> Detector {
    let scanner = security_rust::Scanner::default();
    Box::new(move |value| scanner.assess(value).level >= security_rust::RiskLevel::High)
}
