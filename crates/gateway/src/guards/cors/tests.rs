use std::time::Duration;

use super::*;

const HERE: &str = "https://app.example.com";

fn cors(origins: &[&str]) -> Cors {
    with(origins, |_| {})
}

fn with(origins: &[&str], change: impl FnOnce(&mut model::Cors)) -> Cors {
    let origins = match origins {
        ["*"] => model::Origins::Any,
        listed => model::Origins::Listed(listed.iter().map(|&origin| origin.to_owned()).collect()),
    };
    let (methods, headers, expose) = (Vec::new(), Vec::new(), Vec::new());
    let max_age = Duration::from_secs(600);
    let mut model = model::Cors { origins, methods, headers, expose, credentials: false, max_age };
    change(&mut model);
    Cors::new(&model)
}

fn map(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    headers
}

#[test]
fn only_listed_origins_are_allowed() {
    let check = |origins: &[&str], origin: Option<&str>, expected: Option<&str>| {
        let lines: Vec<_> = origin.iter().map(|&origin| ("origin", origin)).collect();
        let allowed = cors(origins).allowed(&map(&lines));
        assert_eq!(allowed.as_ref().map(HeaderValue::as_bytes), expected.map(str::as_bytes), "{origin:?}");
    };
    check(&[HERE], Some(HERE), Some(HERE));
    check(&[HERE], None, None);
    check(&[HERE], Some("null"), None);
    check(&[HERE], Some("http://app.example.com"), None);
    check(&[HERE], Some("https://app.example.com:8443"), None);
    check(&[HERE], Some("https://app.example.com.evil.example"), None);
    check(&[HERE], Some("https://evil.example#https://app.example.com"), None);
    check(&[HERE], Some("HTTPS://APP.EXAMPLE.COM"), None);
    let below = &["https://*.example.com"];
    check(below, Some(HERE), Some(HERE));
    check(below, Some("https://example.com"), None);
    check(below, Some("https://.example.com"), None);
    check(below, Some("https://a.b.example.com"), None);
    check(below, Some("https://evil.example/.example.com"), None);
    check(below, Some("https://user:x@.example.com"), None);
    check(below, Some("https://aexample.com"), None);
    check(&["http://*.localhost:5173"], Some("http://a.localhost:5173"), Some("http://a.localhost:5173"));
    check(&["http://*.localhost:5173"], Some("http://a.localhost"), None);
    check(&["*"], Some("null"), Some("*"));
    check(&["*"], None, Some("*"));
}

#[test]
fn a_preflight_is_options_with_origin_and_a_method() {
    let check = |method: Method, lines: &[(&str, &str)], expected: Option<Method>| {
        assert_eq!(method_after_preflight(&method, &map(lines)), expected, "{method} {lines:?}");
    };
    let whole = [("origin", HERE), ("access-control-request-method", "PUT")];
    check(Method::OPTIONS, &whole, Some(Method::PUT));
    check(Method::GET, &whole, None);
    check(Method::OPTIONS, &whole[..1], None);
    check(Method::OPTIONS, &whole[1..], None);
    check(Method::OPTIONS, &[whole[0], ("access-control-request-method", "PU T")], None);
    check(Method::OPTIONS, &[whole[0], ("access-control-request-method", "")], None);
}

#[test]
fn a_preflight_says_what_is_allowed_and_nothing_to_strangers() {
    let listed = with(&[HERE], |cors| {
        cors.methods = vec!["GET".to_owned(), "PUT".to_owned()];
        cors.headers = vec!["x-a".to_owned()];
    });
    let check = |cors: &Cors, origin, expected: &[(&str, &str)]| {
        let request = map(&[
            ("origin", origin),
            ("access-control-request-method", "DELETE"),
            ("access-control-request-headers", "x-a,x-b"),
        ]);
        let response = cors.preflight(&request);
        assert_eq!((response.status(), response.headers()), (StatusCode::NO_CONTENT, &map(expected)));
    };
    let (methods, headers, max_age) =
        ("access-control-allow-methods", "access-control-allow-headers", "access-control-max-age");
    check(&listed, HERE, &[(methods, "GET, PUT"), (headers, "x-a"), (max_age, "600")]);
    check(&cors(&[HERE]), HERE, &[(methods, "DELETE"), (headers, "x-a,x-b"), (max_age, "600")]);
    check(&listed, "https://evil.example", &[]);
    check(&listed, "null", &[]);
}

#[test]
fn answers_say_whom_they_are_for() {
    let check = |cors: &Cors, origin: Option<&str>, said: &[(&str, &str)], expected: &[(&str, &str)]| {
        let request: Vec<_> = origin.iter().map(|&origin| ("origin", origin)).collect();
        let mut answer = map(said);
        strip(&mut answer);
        cors.dress(&mut answer, cors.allowed(&map(&request)));
        assert_eq!(answer, map(expected), "{origin:?} {said:?}");
    };
    let allow = "access-control-allow-origin";
    let listed = with(&[HERE], |cors| {
        cors.credentials = true;
        cors.expose = vec!["etag".to_owned(), "x-a".to_owned()];
    });
    let whole = [
        ("vary", "Origin"),
        (allow, HERE),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "etag, x-a"),
    ];
    check(&listed, Some(HERE), &[], &whole);
    check(&listed, Some("https://evil.example"), &[], &whole[..1]);
    check(&listed, None, &[], &whole[..1]);
    // What the service says of origins is not for it to say.
    let own = [(allow, "*"), ("access-control-allow-credentials", "true"), ("access-control-max-age", "9")];
    check(&listed, None, &own, &whole[..1]);
    check(&cors(&[HERE]), Some(HERE), &own, &whole[..2]);
    for vary in ["accept, ORIGIN", "*"] {
        check(&cors(&[HERE]), Some(HERE), &[("vary", vary)], &[("vary", vary), whole[1]]);
    }
    check(&cors(&[HERE]), None, &[("vary", "accept")], &[("vary", "accept"), ("vary", "Origin")]);
    // Credentials never go with all origins, whatever the manifest let pass.
    let any = with(&["*"], |cors| cors.credentials = true);
    check(&any, Some("null"), &[], &[(allow, "*")]);
    check(&any, None, &[], &[(allow, "*")]);
}
