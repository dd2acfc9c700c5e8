//! What people are told.

use super::{read, with_step, with_steps};

/// The scenario has this one mistake, and the text shown says all of `expected`.
fn told(source: &str, expected: &[&str]) {
    let mistakes = read(source).expect_err(source);
    let shown = mistakes.to_string();
    assert_eq!(mistakes.count(), 1, "{shown}");
    for part in expected {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

/// With these stages, and something to do.
fn with_stages(stages: &str) -> String {
    format!("{stages}\n[[flows]]\nsteps = [{{ request = \"GET /\" }}]\n")
}

/// With this at the top, below a load and something to do.
fn with(section: &str) -> String {
    with_stages("stages = [{ users = 2, hold = \"1s\" }]") + section
}

#[test]
fn all_mistakes_are_shown_at_once_where_they_are() {
    let source = r#"
[[stages]]
users = 150
hold = 60

[[flows]]
wieght = 65
[[flows.steps]]
request = "GET /items/${id}"
"#;
    let expected = r#"
error: `hold` needs a unit
 --> load/read.toml:4:8
  |
4 | hold = 60
  |        ^^ a number without a unit
  |
  = help: write a whole number and its unit (ms, s, m, h, d) in quotes, for example `hold = "60s"`

error: unknown key `wieght` in `[[flows]]`
 --> load/read.toml:7:1
  |
7 | wieght = 65
  | ^^^^^^ not known here
  |
  = help: did you mean `weight`?

error: `${id}` is not known
 --> load/read.toml:9:23
  |
9 | request = "GET /items/${id}"
  |                       ^^^^^ nothing has this name
  |
  = help: an earlier step must extract it: `extract = { NAME = "json:/pointer" }`; for a `${` itself write `$${`
"#;
    assert_eq!(read(source).expect_err("mistakes").to_string().trim(), expected.trim());
}

#[test]
fn an_empty_scenario_is_told_what_it_needs() {
    let shown = read("").expect_err("nothing to do").to_string();
    for part in ["no `[[stages]]`", "users = 10", "no `[[flows]]`", "steps = [{ request"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn stages_count_one_thing() {
    let check = |stages: &str, expected: &[&str]| told(&with_stages(stages), expected);
    check(
        "[[stages]]\nusers = 1\nhold = \"1s\"\n[[stages]]\nrate = \"1/s\"\nhold = \"1s\"",
        &["`rate` among stages of `users`", "the first stage decides"],
    );
    check("[[stages]]\nusers = 1\nrate = \"1/s\"\nhold = \"1s\"", &["a stage of `users` and `rate`"]);
    check("[[stages]]\nrate = 5\nhold = \"1s\"", &["`rate` needs a unit", "`/s`, `/m` or `/h`"]);
    check("[[stages]]\nusers = 1", &["a stage takes no time"]);
    check("[[stages]]\nusers = 0\nhold = \"1s\"", &["every stage is zero"]);
    check("[[stages]]\nusers = 2000000\nhold = \"1s\"", &["between 0 and 1000000"]);
    check("users_max = 5\n[[stages]]\nusers = 1\nhold = \"1s\"", &["`users_max` without a rate"]);
    check(&"[[stages]]\nusers = 1\nhold = \"1s\"\n".repeat(101), &["`stages` has more than 100 entries"]);
    check("[[stages]]\nusers = 1\nhold = \"25h\"", &["between 0s and 1d"]);
}

#[test]
fn a_target_is_a_server() {
    let check = |url: &str, expected: &str| {
        told(&with(&format!("[target]\nurl = '{url}'")), &[expected]);
    };
    check("localhost:8080", "does not begin with");
    check("ftp://x", "does not begin with");
    check("http://a:b@x", "password");
    check("http://x/api", "ends after the port");
    check("http://x?a", "ends after the port");
    check("http://x:99999", "cannot be read");
    check("http://", "cannot be read");
    check("http://${user}", "`${user}` has no value here");
    told(&with("[target]\nhttp = \"3\""), &["`\"1.1\"` or `\"2\"`"]);
}

#[test]
fn a_flow_has_steps_and_one_pause() {
    let flow = |keys: &str| format!("stages = [{{ users = 1, hold = \"1s\" }}]\n[[flows]]\n{keys}\n");
    let steps = "steps = [{ request = \"GET /\" }]";
    told(&flow("name = \"x\""), &["`[[flows]]` needs `steps`"]);
    told(&flow("steps = []"), &["a flow without a step"]);
    told(&flow(&format!("{steps}\nthink = \"1s\"\npacing = \"1s\"")), &["a flow has `think` and `pacing`"]);
    told(&flow(&format!("{steps}\nthink = \"0.5s\"")), &["`think` must be a time", "not a whole number"]);
    told(&flow(&format!("{steps}\nthink = \"uniform(2s, 1s)\"")), &["longer than the second"]);
    told(&flow(&format!("{steps}\nthink = \"uniform(2s)\"")), &["takes two times"]);
    told(&flow(&format!("{steps}\nthink = \"exp(2h)\"")), &["at most 1h"]);
    told(&flow(&format!("{steps}\npacing = \"0s\"")), &["at least 1ms"]);
    told(&flow(&format!("{steps}\nweight = 0")), &["`weight` must be above 0"]);
    told(&flow(&format!("{steps}\n[[flows]]\n{steps}")), &["two flows are called `GET /`"]);
    let open = "stages = [{ rate = \"1/s\", hold = \"1s\" }]\n[[flows]]\npacing = \"1s\"\n";
    told(&format!("{open}{steps}"), &["`pacing` beside a rate"]);
}

#[test]
fn a_request_is_a_method_and_a_path() {
    let check = |request: &str, expected: &[&str]| {
        told(&with_step(&format!("request = '{request}'")), expected);
    };
    check("/items", &["no method", "write `GET /items`"]);
    check("GTE /items", &["not a method", "did you mean `GET`?"]);
    check("get /items", &["did you mean `GET`?"]);
    check("GET items", &["does not begin with `/`"]);
    check("GET http://x/items", &["the server is said in `[target]`"]);
    check("GET /a b", &["cannot be sent", "%XX"]);
    check("GET /é", &["cannot be sent"]);
    check("GET /a#b", &["cannot be sent"]);
    told(&with_step("name = \"x\""), &["`[[flows.steps]]` needs `request`"]);
}

#[test]
fn a_value_is_known_before_it_is_used() {
    let check = |request: &str, expected: &[&str]| {
        told(&with_step(&format!("request = 'GET /{request}'")), expected);
    };
    check("${tokn}", &["`${tokn}` is not known", "did you mean `token`?"]);
    check("${itration}", &["did you mean `iteration`?"]);
    check("${acounts.id}", &["there is no feed `acounts`", "did you mean `accounts`?"]);
    check("${accounts.emial}", &["has no column `emial`", "did you mean `email`?"]);
    check("${token", &["a `${` without its `}`"]);
    check("${a b}", &["`${a b}` cannot be read"]);
    check("${randm(1, 2)}", &["there is no function `randm`", "did you mean `random`?"]);
    check("${random(2, 1)}", &["the smaller first"]);
    check("${number(token)}", &["`number(…)` outside of JSON"]);
    check("${row}", &["`row` outside of a feed"]);
    check("${env.NOT_SET}", &["`NOT_SET` is not set", "`${env.NOT_SET:-…}`"]);
    let steps = "[[flows.steps]]\nrequest = \"GET /${id}\"\n[[flows.steps]]\nrequest = \"POST /\"\nextract = { id = \"json:/id\" }\n";
    told(&with_steps(steps), &["`${id}` is not known yet", "an earlier step of this flow"]);
    let json = "request = \"POST /\"\njson = { a = \"x ${number(token)}\" }";
    told(&with_step(json), &["`number(…)` outside of JSON"]);
}

#[test]
fn headers_and_bodies_can_be_sent() {
    let check = |keys: &str, expected: &[&str]| {
        told(&with_step(&format!("request = \"POST /\"\n{keys}")), expected);
    };
    check("headers = { \"a b\" = \"x\" }", &["not a header's name"]);
    check("headers = { x = \"a\\nb\" }", &["holds what no header may"]);
    check("headers = { content-length = \"1\" }", &["written by the generator itself"]);
    check("headers = { x = \"1\", X = \"2\" }", &["already there in other letters"]);
    check("headers = { x = 1 }", &["`x` must be a string"]);
    check("json = {}\nbody = \"x\"", &["a request has one body"]);
    check("json = '{\"a\": 1}'", &["`json` must be a table or a list"]);
    check("json = { a = nan }", &["a number that JSON does not have"]);
    check(&format!("body = \"{}\"", "x".repeat((1 << 20) + 1)), &["at most 1MiB"]);
}

#[test]
fn extraction_and_expectation_name_their_places() {
    let check = |keys: &str, expected: &[&str]| {
        told(&with_step(&format!("request = \"GET /\"\n{keys}")), expected);
    };
    check(
        "extract = { a = \"jsn:/x\" }",
        &["neither `json:`, `header:` nor `cookie:`", "did you mean `json`?"],
    );
    check("extract = { a = \"json:x\" }", &["a JSON pointer begins with `/`"]);
    check("extract = { a = \"header:a b\" }", &["not a header's name"]);
    check("extract = { user = \"json:/x\" }", &["means something else already"]);
    check("extract = { \"a b\" = \"json:/x\" }", &["cannot name a value"]);
    check("expect = { status = 99 }", &["not between 100 and 599"]);
    check("expect = { status = [] }", &["not between 100 and 599"]);
    check("expect = { status = \"200\" }", &["`status` must be a status or a list of them"]);
    check("expect = { json = { id = 1 } }", &["`id` is not a JSON pointer"]);
    check("expect = { stauts = 200 }", &["in `[flows.steps.expect]`", "did you mean `status`?"]);
}

#[test]
fn a_feed_has_rows_enough() {
    let check = |keys: &str, expected: &[&str]| {
        told(&with(&format!("[feeds.f]\n{keys}")), expected);
    };
    check("", &["a feed without rows"]);
    check("file = \"accounts.csv\"\nrows = [{ a = 1 }]", &["a feed has one source"]);
    check("file = \"missing.csv\"", &["`file` cannot be used", "entity not found"]);
    check("file = \"torn.csv\"", &["line 2 has 3 values for 2 columns"]);
    check("file = \"empty.csv\"", &["no rows"]);
    check("file = \"twice.csv\"", &["two columns `id`"]);
    check("rows = []", &["no rows"]);
    check("rows = [1]", &["`rows` must be a list of tables"]);
    check("rows = [{ a = 1 }, { b = 1 }]", &["row 2 has other columns than the first"]);
    check("rows = [{ a = [] }]", &["a cell must be a string or a number"]);
    check("columns = { a = \"x\" }", &["`columns` without `count`"]);
    check("rows = [{ a = 1 }]\ncount = 3", &["`count` without `columns`"]);
    check("columns = { a = \"${user}\" }\ncount = 3", &["`${user}` has no value in a feed"]);
    check("rows = [{ a = 1 }]\norder = \"shuffled\"", &["`order` must be"]);
    check("rows = [{ a = 1 }]\norder = \"unique\"", &["2 users, and 1 rows of their own"]);
}

#[test]
fn a_threshold_limits_a_step_there_is() {
    let check = |keys: &str, expected: &[&str]| {
        told(&with(&format!("[thresholds.t]\n{keys}")), expected);
    };
    check("", &["a threshold without a limit"]);
    check("p95 = \"1s\"\nstep = \"GTE /\"", &["`step` must name a step", "did you mean `GET /`?"]);
    check("errors = \"0.5\"", &["`errors` must be a percentage", "without `%`"]);
    check("errors = 0.5", &["`errors` needs a unit", "a number and `%`"]);
    check("p95 = \"0s\"", &["`p95` must be between 1ms and 1h"]);
    check("p42 = \"1s\"\np50 = \"1s\"", &["unknown key `p42`"]);
}

#[test]
fn a_value_of_the_environment_is_never_repeated() {
    let sources = [
        with("[target]\nurl = \"${env.SECRET}\"\nhttp = \"${env.SECRET}\""),
        with("[feeds.f]\nfile = \"${env.SECRET}\"\norder = \"${env.SECRET}\""),
        with("[thresholds.t]\np95 = \"${env.SECRET}\"\nstep = \"${env.SECRET}\""),
        with_step("request = \"GET /\"\nextract = { a = \"${env.SECRET}\" }\ntimeout = \"${env.SECRET}\""),
    ];
    for source in sources {
        let mistakes = read(&source).expect_err(&source);
        assert!(mistakes.count() >= 2 && !mistakes.to_string().contains("hunter2"), "{mistakes}");
    }
}
