use std::collections::BTreeSet;

use fastrand::Rng;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Answer, Scenario, Step, Template, Variables};
use super::{read, with_step};

fn render_with(
    scenario: &Scenario,
    template: &Template,
    (user, iteration): (u64, u64),
    variables: &Variables,
) -> String {
    let scope = scenario.scope(user, iteration, variables, date(2026, 11, 21));
    let mut out = String::new();
    template.render(&scope, &mut Rng::with_seed(1), &mut out);
    out
}

fn path(request: &str, token: &str) -> String {
    let scenario = read(&with_step(&format!("request = '{request}'"))).expect(request);
    let mut variables = Variables::default();
    variables.set("token", token.to_owned());
    render_with(&scenario, &scenario.flows[0].steps[0].path, (5, 2), &variables)
}

fn body(keys: &str, token: &str) -> String {
    let scenario = read(&with_step(&format!("request = \"POST /x\"\n{keys}"))).expect(keys);
    let mut variables = Variables::default();
    variables.set("token", token.to_owned());
    let body = scenario.flows[0].steps[0].body.as_ref().expect("a body");
    render_with(&scenario, body, (5, 2), &variables)
}

#[test]
fn every_value_has_its_text() {
    let check = |place: &str, expected: &str| {
        assert_eq!(path(&format!("GET /{place}"), "t k"), format!("/{expected}"));
    };
    check("a", "a");
    check("${token}", "t%20k");
    check("${accounts.email}", "bob%2C%20%22x%22");
    check("${user}-${iteration}", "5-2");
    check("${today}", "2026-11-21");
    check("${today(-21)}", "2026-10-31");
    check("${random(7, 7)}", "7");
    check("${pick(a b)}", "a%20b");
    check("${env.SECRET}", "hunter2%20%22%26%2F%5C");
    let uuid: uuid_shape::Shape = uuid_shape::of(&path("GET /${uuid}", ""));
    assert_eq!(uuid, uuid_shape::VERSION_4);
}

mod uuid_shape {
    pub(super) type Shape = (usize, Option<char>, bool);
    pub(super) const VERSION_4: Shape = (37, Some('4'), true);

    pub(super) fn of(path: &str) -> Shape {
        (path.len(), path.chars().nth(15), path.chars().nth(20).is_some_and(|c| "89ab".contains(c)))
    }
}

#[test]
fn a_json_body_has_the_types_it_says() {
    let keys = r#"json = { n = "${number(token)}", s = "${token}", both = "a ${token}", list = [1, 2.5, true, []], no = {} }"#;
    let read = |token: &str| serde_json::from_str::<Value>(&body(keys, token)).expect("JSON");
    let rest = |n: Value, s: &str| json!({ "n": n, "s": s, "both": format!("a {s}"), "list": [1, 2.5, true, []], "no": {} });
    assert_eq!(read("12.5"), rest(json!(12.5), "12.5"));
    assert_eq!(read("x\""), rest(json!("x\""), "x\""));
}

#[test]
fn other_bodies_are_as_they_are_written() {
    assert_eq!(body("body = \"<a>${token} $5 $${x}</a>\"", "<&>"), "<a><&> $5 ${x}</a>");
    assert_eq!(body("form = { \"a b\" = \"c&${token}\", d = \"1\" }", "e=f"), "a%20b=c%26e%3Df&d=1");
}

#[test]
fn what_never_changes_is_known() {
    let literal = |keys: &str| {
        let scenario = read(&with_step(keys)).expect(keys);
        scenario.flows[0].steps[0].path.as_literal().map(str::to_owned)
    };
    assert_eq!(literal("request = \"GET /a$$b?c=1\"").as_deref(), Some("/a$b?c=1"));
    assert_eq!(literal("request = \"GET /${user}\""), None);
}

#[test]
fn a_header_that_cannot_be_sent_is_none() {
    let scenario = read(&with_step("request = \"GET /\"\nheaders = { x = \"a ${token}\" }")).expect("valid");
    let (_, template) = &scenario.flows[0].steps[0].headers[0];
    let header = |token: &str| {
        let mut variables = Variables::default();
        variables.set("token", token.to_owned());
        let scope = scenario.scope(0, 0, &variables, date(2026, 11, 21));
        template.header(&scope, &mut Rng::with_seed(1), &mut String::from("left over"))
    };
    assert_eq!(header("b"), Some(HeaderValue::from_static("a b")));
    assert_eq!(header("b\r\nx: y"), None);
}

/// The rows that users take, flow by flow.
fn rows(order: &str, users: u64, flows: u64) -> Vec<Vec<String>> {
    let source = format!(
        "stages = [{{ users = 2, hold = \"1s\" }}]\nflows = [{{ steps = [{{ request = \"GET /${{f.n}}${{g.n}}\" }}] }}]\n\
         [feeds.f]\norder = \"{order}\"\nrows = [{{ n = \"a\" }}, {{ n = \"b\" }}, {{ n = \"c\" }}]\n\
         [feeds.g]\ncolumns = {{ n = \"-${{row}}-${{random(0, 9)}}\" }}\ncount = 4\n"
    );
    let scenario = read(&source).expect("valid");
    let path = &scenario.flows[0].steps[0].path;
    let of_user = |user| {
        (0..flows).map(|flow| render_with(&scenario, path, (user, flow), &Variables::default())).collect()
    };
    (0..users).map(of_user).collect()
}

#[test]
fn rows_are_taken_in_the_order_that_was_said() {
    let letters = |order: &str| {
        let text = |flows: Vec<String>| flows.iter().map(|path| &path[1..2]).collect::<String>();
        rows(order, 2, 4).into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(letters("sequential"), ["abca", "bcab"]);
    assert_eq!(letters("unique"), ["aaaa", "bbbb"]);
    let random: BTreeSet<_> =
        rows("random", 30, 1).into_iter().map(|flows| flows[0][1..2].to_owned()).collect();
    assert_eq!(random.len(), 3);
}

#[test]
fn a_generated_row_is_always_the_same() {
    let made = |user: usize| rows("sequential", 8, 1)[user][0][2..].to_owned();
    assert!(made(1).starts_with("-1-"));
    assert_eq!(made(1), made(5));
}

fn take(keys: &str, body: &[u8]) -> (Result<(), String>, Variables, Step) {
    let step = read(&with_step(&format!("request = \"GET /\"\n{keys}")))
        .expect(keys)
        .flows
        .remove(0)
        .steps
        .remove(0);
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_static("/items/7"));
    headers.append(SET_COOKIE, HeaderValue::from_static("sid=old; Path=/"));
    headers.append(SET_COOKIE, HeaderValue::from_static("sid=\"new\"; HttpOnly"));
    let mut variables = Variables::default();
    let result = step.take(&Answer { status: StatusCode::OK, headers: &headers, body }, &mut variables);
    (result, variables, step)
}

#[test]
fn an_answer_is_right_or_says_why_not() {
    let body = br#"{"id":1,"items":[{"n":1.0,"t":"x"}],"none":null}"#;
    let check = |keys: &str, expected: Result<(), &str>| {
        assert_eq!(take(keys, body).0, expected.map_err(str::to_owned), "{keys}");
    };
    check("", Ok(()));
    check("expect = { status = 200 }", Ok(()));
    check("expect = { status = [201, 204] }", Err("status 200"));
    check("expect = { contains = '\"id\":1' }", Ok(()));
    check("expect = { contains = 'nope' }", Err("expected \"nope\""));
    check("expect = { json = { '/items/0' = { n = 1, t = 'x' } } }", Ok(()));
    check("expect = { json = { '/items/0/t' = 'y' } }", Err("expected /items/0/t"));
    check("expect = { json = { '/missing' = 1 } }", Err("expected /missing"));
    check("extract = { a = 'json:/none' }", Err("no a"));
    check("extract = { a = 'header:x-none' }", Err("no a"));
    assert_eq!(take("expect = { json = { '' = {} } }", b"<html>").0, Err("not JSON".to_owned()));
}

#[test]
fn values_are_extracted() {
    let check = |source: &str, expected: &str| {
        let (result, variables, _) =
            take(&format!("extract = {{ v = '{source}' }}"), br#"{"a":["x",12.5,{"b":true}]}"#);
        assert_eq!((result, variables.get("v")), (Ok(()), Some(expected)), "{source}");
    };
    check("json:/a/0", "x");
    check("json:/a/1", "12.5");
    check("json:/a/2", "{\"b\":true}");
    check("header:location", "/items/7");
    check("cookie:sid", "new");
}

#[test]
fn the_body_is_read_only_if_someone_asks_for_it() {
    let check = |keys: &str, expected: bool| assert_eq!(take(keys, b"{}").2.reads_body(), expected, "{keys}");
    check("", false);
    check("expect = { status = 200 }\nextract = { a = 'header:x', b = 'cookie:c' }", false);
    check("expect = { contains = 'x' }", true);
    check("expect = { json = { '/a' = 1 } }", true);
    check("extract = { a = 'json:/a' }", true);
}

proptest! {
    #[test]
    fn a_json_body_stays_json_whatever_its_values(token in any::<String>()) {
        let keys = r#"json = { n = "${number(token)}", s = "<${token}>" }"#;
        let value: Value = serde_json::from_str(&body(keys, &token)).expect("JSON");
        prop_assert_eq!(&value["s"], &Value::from(format!("<{token}>")));
    }

    #[test]
    fn a_query_value_stays_one_parameter(token in any::<String>()) {
        let path = path("GET /a/${token}?q=${token}&z=1", &token);
        let uri: http::Uri = path.parse().expect("a request target");
        let query = uri.query().expect("a query");
        prop_assert_eq!(query.split('&').count(), 2);
        prop_assert_eq!(uri.path().matches('/').count(), 2);
        prop_assert!(query.ends_with("&z=1"));
    }

    #[test]
    fn a_form_keeps_its_fields(token in any::<String>()) {
        let text = body(r#"form = { a = "${token}", b = "1" }"#, &token);
        prop_assert_eq!(text.split('&').map(|field| field.split('=').count()).collect::<Vec<_>>(), [2, 2]);
    }
}
