//! Which requests an objective is about, worked out per route as far as it can be.

use http::Method;
use mare_manifest::model::objective::Subject;
use mare_manifest::model::{PathPattern, Route};

/// What may be meant of the requests of one route.
#[derive(Debug, Default)]
pub(crate) struct OfRoute {
    /// The bits of those that mean all of them.
    always: u64,
    /// The bits of those that mean some, and which.
    sometimes: Box<[(u64, Option<Method>, PathPattern)]>,
}

impl OfRoute {
    /// `subjects` by bit, at most [`mare_manifest::model::objective::WATCHED_MAX`] of them.
    pub(super) fn new<'a>(subjects: impl Iterator<Item = &'a Subject>, route: &Route) -> Self {
        let (mut always, mut sometimes) = (0, Vec::new());
        for (bit, subject) in subjects.enumerate().filter(|(_, subject)| subject.may_take(route)) {
            match subject {
                Subject::Service(_) => always |= 1 << bit,
                // No route carries them, and so none may take them.
                Subject::Queue(_) | Subject::Backlog(_) => {}
                Subject::Requests { method, path } => {
                    if *path == route.path && (method.is_none() || *method == route.method) {
                        always |= 1 << bit;
                    } else {
                        let method =
                            method.as_deref().and_then(|name| Method::from_bytes(name.as_bytes()).ok());
                        sometimes.push((1 << bit, method, path.clone()));
                    }
                }
            }
        }
        Self { always, sometimes: sometimes.into() }
    }

    /// The bits of those that mean this request.
    pub(crate) fn matching(&self, method: &Method, path: &str) -> u64 {
        let is_meant = |wanted: &Option<Method>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted == method || (*wanted == Method::GET && *method == Method::HEAD))
        };
        self.sometimes.iter().fold(self.always, |bits, (bit, wanted, pattern)| {
            if is_meant(wanted) && pattern.matches(path) { bits | bit } else { bits }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Which of the objectives `a`, `b`, `c` mean a request, as text.
    fn check(route: &str, objectives: [&str; 3], requests: &[(&str, &str)]) {
        let mut source = "[services.api]\nrun = 'api'\n".to_owned();
        let _ = writeln!(source, "[[routes]]\nmatch = '{route}'\nservice = 'api'");
        source += "[[routes]]\nmatch = '/other/*'\nservice = 'api'\n";
        for (name, subject) in ["a", "b", "c"].iter().zip(objectives) {
            let _ = writeln!(source, "[objectives.{name}]\n{subject}\np50 = '1s'");
        }
        let manifest = mare_manifest::load(&source, "mare.toml".as_ref(), "/".into(), &|_| None)
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let subjects = manifest.objectives.values().map(|objective| &objective.on);
        let of_route = OfRoute::new(subjects, &manifest.routes[0]);
        for (request, expected) in requests {
            let (method, path) = request.split_once(' ').expect("METHOD path");
            let bits = of_route.matching(&method.parse().expect("a method"), path);
            let named: String =
                "abc".chars().zip(0..).filter(|(_, bit)| bits & (1 << bit) != 0).map(|(c, _)| c).collect();
            assert_eq!(named, *expected, "{request} on {route}");
        }
    }

    #[test]
    fn a_request_counts_for_every_objective_that_means_it() {
        let objectives = ["route = 'GET /api/items'", "route = '/api/*'", "service = 'api'"];
        check(
            "/api/*",
            objectives,
            &[
                ("GET /api/items", "abc"),
                ("HEAD /api/items", "abc"),
                ("POST /api/items", "bc"),
                ("GET /api/items/1", "bc"),
                ("GET /api", "bc"),
            ],
        );
        check("GET /api/items", objectives, &[("GET /api/items", "abc"), ("HEAD /api/items", "abc")]);
        check("/*", objectives, &[("GET /api/items", "abc"), ("GET /apis", "c")]);
        check("/api*", ["route = 'GET /other/*'"; 3], &[("GET /apis", "")]);
    }
}
