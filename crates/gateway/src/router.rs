//! Which route a request takes: the most specific one, whatever the order in the file.
//!
//! Host counts before path, path before method. An exact host is more specific than `*.example.com`, that one more
//! than none; an exact path more than a longer prefix, that one more than a shorter; a method more than none.

use http::Method;
use mare_manifest::model::{PathPattern, Route};
use percent_encoding::percent_decode_str;

/// Routes in order of specificity: the first that matches is the one.
#[derive(Debug)]
pub struct Router {
    entries: Vec<Entry>,
    /// No route names a host, so nobody needs to look at it.
    any_host: bool,
}

#[derive(Debug)]
struct Entry {
    host: Host,
    path: PathPattern,
    method: Option<Method>,
    /// Position in the manifest.
    index: usize,
}

#[derive(Debug)]
enum Host {
    Any,
    /// `.example.com`
    Below(String),
    Exact(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Match {
    /// Position of the route in the manifest.
    Route(usize),
    /// Host and path fit only routes with other methods, these.
    OtherMethods(Vec<Method>),
    Nothing,
}

impl Router {
    /// Fails for a method that is no HTTP token, which the manifest's validation refuses.
    pub fn new(routes: &[Route]) -> Result<Self, http::method::InvalidMethod> {
        let entry = |(index, route): (usize, &Route)| {
            let method =
                route.method.as_deref().map(|name| Method::from_bytes(name.as_bytes())).transpose()?;
            let host = match route.host.as_deref() {
                None => Host::Any,
                Some(name) => match name.strip_prefix('*') {
                    Some(rest) => Host::Below(rest.to_owned()),
                    None => Host::Exact(name.to_owned()),
                },
            };
            Ok(Entry { host, path: route.path.clone(), method, index })
        };
        let mut entries = routes.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.specificity()));
        let any_host = entries.iter().all(|entry| matches!(entry.host, Host::Any));
        Ok(Self { entries, any_host })
    }

    /// `host` without port; `path` as sent. Allocates only when it answers [`Match::OtherMethods`].
    pub fn find(&self, host: &str, method: &Method, path: &str) -> Match {
        let fits = |entry: &&Entry| (self.any_host || entry.host.takes(host)) && entry.path.matches(path);
        // A GET route serves HEAD too, as RFC 9110 9.3.2 wants.
        let method_fits = |entry: &Entry| {
            entry
                .method
                .as_ref()
                .is_none_or(|wanted| wanted == method || (*wanted == Method::GET && *method == Method::HEAD))
        };
        if let Some(entry) = self.entries.iter().find(|entry| method_fits(entry) && fits(entry)) {
            return Match::Route(entry.index);
        }
        let mut others = Vec::new();
        for method in self.entries.iter().filter(fits).filter_map(|entry| entry.method.as_ref()) {
            let implied = (method == Method::GET).then_some(&Method::HEAD);
            for method in [Some(method), implied].into_iter().flatten() {
                if !others.contains(method) {
                    others.push(method.clone());
                }
            }
        }
        if others.is_empty() { Match::Nothing } else { Match::OtherMethods(others) }
    }

    /// Whether a service that decodes paths and merges slashes, as most do, would read this one as another that takes
    /// another route: its guards would not be those of what is served.
    pub fn is_misled(&self, found: &Match, host: &str, method: &Method, path: &str) -> bool {
        if !path.contains('%') && !path.contains("//") {
            return false;
        }
        let meant = |entry: &Entry| Match::Route(entry.index) == *found && entry.is_encoded();
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let mut plain = String::with_capacity(decoded.len());
        for character in decoded.chars() {
            if character != '/' || !plain.ends_with('/') {
                plain.push(character);
            }
        }
        self.find(host, method, &plain) != *found && !self.entries.iter().any(meant)
    }
}

impl Entry {
    /// The manifest itself spells it so.
    fn is_encoded(&self) -> bool {
        let (PathPattern::Exact(path) | PathPattern::Below(path) | PathPattern::Prefix(path)) = &self.path;
        path.contains('%') || path.contains("//")
    }

    fn specificity(&self) -> impl Ord + use<> {
        let host = match &self.host {
            Host::Any => (0, 0),
            Host::Below(suffix) => (1, suffix.len()),
            Host::Exact(_) => (2, 0),
        };
        (host, self.path.specificity(), self.method.is_some())
    }
}

impl Host {
    fn takes(&self, host: &str) -> bool {
        match self {
            Host::Any => true,
            Host::Exact(name) => name.eq_ignore_ascii_case(host),
            Host::Below(suffix) => host.len().checked_sub(suffix.len()).is_some_and(|cut| {
                host.is_char_boundary(cut)
                    && cut > 0
                    && !host[..cut].contains('.')
                    && host[cut..].eq_ignore_ascii_case(suffix)
            }),
        }
    }
}

/// The part of `path` below the pattern's own prefix, with its slash: what a `files` route looks for.
pub fn below<'a>(pattern: &PathPattern, path: &'a str) -> &'a str {
    match pattern {
        PathPattern::Below(above) => match path.strip_prefix(above.as_str()) {
            Some("") | None => "/",
            Some(rest) => rest,
        },
        PathPattern::Exact(_) | PathPattern::Prefix(_) => path,
    }
}

#[cfg(test)]
mod tests {
    use mare_manifest::model::Target;
    use mare_manifest::model::guard::Guards;
    use proptest::prelude::*;

    use super::*;

    fn route(text: &str) -> Route {
        let (method, rest) = text.split_once(' ').map_or((None, text), |(method, rest)| (Some(method), rest));
        let cut = rest.find('/').expect("a path");
        let (host, path) = rest.split_at(cut);
        let pattern = match (path.strip_suffix("/*"), path.strip_suffix('*')) {
            (Some(above), _) => PathPattern::Below(above.to_owned()),
            (None, Some(prefix)) => PathPattern::Prefix(prefix.to_owned()),
            (None, None) => PathPattern::Exact(path.to_owned()),
        };
        Route {
            name: text.to_owned(),
            method: method.map(str::to_owned),
            host: (!host.is_empty()).then(|| host.to_owned()),
            path: pattern,
            target: Target::Service("api".to_owned()),
            body: None,
            guards: Guards::default(),
            cache: None,
        }
    }

    fn check(routes: &[&str], request: &str, expected: Option<&str>) {
        let compiled: Vec<_> = routes.iter().map(|text| route(text)).collect();
        let compiled = Router::new(&compiled).expect("valid");
        let (method, rest) = request.split_once(' ').expect("METHOD host/path");
        let (host, path) = rest.split_at(rest.find('/').expect("a path"));
        let found = match compiled.find(host, &method.parse().expect("token"), path) {
            Match::Route(index) => Some(routes[index]),
            Match::OtherMethods(_) | Match::Nothing => None,
        };
        assert_eq!(found, expected, "{request} in {routes:?}");
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes =
            ["/*", "/api/*", "/api/auth/*", "/api/auth/login", "GET /api/items", "POST /api/items", "/img*"];
        check(&routes, "GET a/", Some("/*"));
        check(&routes, "GET a/x", Some("/*"));
        check(&routes, "GET a/api", Some("/api/*"));
        check(&routes, "GET a/apis", Some("/*"));
        check(&routes, "GET a/api/x", Some("/api/*"));
        check(&routes, "GET a/api/auth/x", Some("/api/auth/*"));
        check(&routes, "GET a/api/auth/login", Some("/api/auth/login"));
        check(&routes, "GET a/api/items", Some("GET /api/items"));
        check(&routes, "HEAD a/api/items", Some("GET /api/items"));
        check(&routes, "POST a/api/items", Some("POST /api/items"));
        check(&routes, "DELETE a/api/items", Some("/api/*"));
        check(&routes, "GET a/image.png", Some("/img*").filter(|_| false).or(Some("/*")));
        check(&routes, "GET a/img2/x", Some("/img*"));
    }

    #[test]
    fn hosts_count_before_paths() {
        let routes = ["/admin/x", "shop.example.com/*", "*.example.com/*", "*.example.com/admin/*"];
        check(&routes, "GET shop.example.com/admin/x", Some("shop.example.com/*"));
        check(&routes, "GET SHOP.example.com/", Some("shop.example.com/*"));
        check(&routes, "GET a.example.com/admin/x", Some("*.example.com/admin/*"));
        check(&routes, "GET a.b.example.com/y", None);
        check(&routes, "GET .example.com/y", None);
        check(&routes, "GET other.org/admin/x", Some("/admin/x"));
    }

    #[test]
    fn no_spelling_chooses_another_route_than_the_one_that_is_meant() {
        let router = Router::new(&["/*", "/admin/*", "/a%20b/*"].map(route)).expect("valid");
        let check = |path, expected| {
            let found = router.find("h", &Method::GET, path);
            assert_eq!(router.is_misled(&found, "h", &Method::GET, path), expected, "{path}");
        };
        check("/admin/x", false);
        check("/admin/%78//y", false);
        check("/x%2Fy//z%20", false);
        check("/a%20b/c", false);
        check("/%61dmin/x", true);
        check("//admin/x", true);
        check("/admin%2fx", true);
        check("/%2f%2561dmin/x", false);
    }

    #[test]
    fn a_path_with_other_methods_names_them() {
        let router = Router::new(&[route("GET /a"), route("PUT /a"), route("GET /*")]).expect("valid");
        let expected = Match::OtherMethods(vec![Method::GET, Method::HEAD, Method::PUT]);
        assert_eq!(router.find("h", &Method::POST, "/a"), expected);
        assert_eq!(router.find("h", &Method::GET, "/b"), Match::Route(2));
    }

    #[test]
    fn files_are_looked_up_below_the_prefix() {
        let check = |pattern, path, expected| assert_eq!(below(&pattern, path), expected);
        check(PathPattern::Below("/static".into()), "/static/a.css", "/a.css");
        check(PathPattern::Below("/static".into()), "/static", "/");
        check(PathPattern::Below(String::new()), "/a.css", "/a.css");
        check(PathPattern::Exact("/robots.txt".into()), "/robots.txt", "/robots.txt");
    }

    proptest! {
        #[test]
        fn the_order_in_the_file_does_not_matter(
            paths in prop::collection::btree_set("(GET |PUT )?(a\\.org|\\*\\.a\\.org)?(/[ab]{1,2}){1,3}(/\\*|\\*)?", 1..8),
            path in "(/[ab]{1,3}){1,4}", host in "(a\\.org|x\\.a\\.org|b)", seed in any::<u64>(),
        ) {
            let mut texts: Vec<String> = paths.into_iter().collect();
            let find = |texts: &[String]| {
                let routes: Vec<_> = texts.iter().map(|text| route(text)).collect();
                let router = Router::new(&routes).expect("valid");
                match router.find(&host, &Method::GET, &path) {
                    Match::Route(index) => Some(texts[index].clone()),
                    Match::OtherMethods(_) | Match::Nothing => None,
                }
            };
            let first = find(&texts);
            fastrand::Rng::with_seed(seed).shuffle(&mut texts);
            prop_assert_eq!(first, find(&texts));
        }
    }
}
