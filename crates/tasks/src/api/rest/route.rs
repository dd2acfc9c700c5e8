//! Which method a path means.

use http::Method;
use percent_encoding::percent_decode_str;
use prost_reflect::MethodDescriptor;

use crate::api::fault::Fault;
use crate::proto::DESCRIPTORS;

const TASKS: &str = "google.cloud.tasks.v2.CloudTasks";
const OPERATIONS: &str = "google.longrunning.Operations";
const LOCATIONS: &str = "google.cloud.location.Locations";

/// Of a resource: the literal parts of its name.
const PROJECT: &[&str] = &["projects"];
const LOCATION: &[&str] = &["projects", "locations"];
const QUEUE: &[&str] = &["projects", "locations", "queues"];
const TASK: &[&str] = &["projects", "locations", "queues", "tasks"];
const OPERATION: &[&str] = &["projects", "locations", "operations"];

/// What the body holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Nothing,
    /// The request.
    All,
    /// One field of it.
    Field(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    verb: &'static str,
    resource: &'static [&'static str],
    /// What follows the resource's name.
    rest: &'static str,
    service: &'static str,
    pub(super) rpc: &'static str,
    /// The field that the resource's name goes into.
    pub(super) names: &'static str,
    pub(super) takes: Takes,
}

pub(super) struct Found {
    pub(super) route: &'static Route,
    pub(super) resource: String,
}

impl Route {
    /// `None` if we do not have it.
    pub(super) fn method(&self) -> Option<MethodDescriptor> {
        let service = DESCRIPTORS.get_service_by_name(self.service)?;
        service.methods().find(|method| method.name() == self.rpc)
    }

    /// The resource's name, if the segments of the path (and what follows the last colon) are those of this route.
    fn matches(&self, segments: &[String], action: &str) -> Option<String> {
        let (collection, own_action) = self.rest.split_once(':').unwrap_or((self.rest, ""));
        let named = self.resource.len() * 2;
        let is_named = |(part, pair): (&&str, &[String])| pair[0] == **part && !pair[1].is_empty();
        let (resource, rest) = segments.split_at_checked(named)?;
        let fits = self.resource.iter().zip(resource.chunks_exact(2)).all(is_named)
            && action == own_action
            && rest.iter().map(String::as_str).eq(collection.split('/').filter(|part| !part.is_empty()));
        fits.then(|| resource.join("/"))
    }
}

pub(super) fn find(verb: &Method, path: &str) -> Result<Found, Fault> {
    let path = path.strip_prefix("/v2/").ok_or(Fault::NotFound)?;
    // Projects may have a colon in their id; other last parts have none but before an action.
    let (path, action) = match path.rsplit_once(':') {
        Some((path, action)) if !action.contains('/') => (path, action),
        _ => (path, ""),
    };
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let segments: Vec<String> = path.split('/').map(decode).collect();
    let mut fitting = ROUTES.iter().filter(|route| route.verb == verb.as_str());
    fitting
        .find_map(|route| route.matches(&segments, action).map(|resource| Found { route, resource }))
        .ok_or_else(|| Fault::Unimplemented(format!("{verb} of this path").into()))
}

const fn route(
    verb: &'static str,
    resource: &'static [&'static str],
    rest: &'static str,
    rpc: &'static str,
    names: &'static str,
) -> Route {
    Route { verb, resource, rest, service: TASKS, rpc, names, takes: Takes::Nothing }
}

const fn post(
    resource: &'static [&'static str],
    rest: &'static str,
    rpc: &'static str,
    names: &'static str,
) -> Route {
    Route { takes: Takes::All, ..route("POST", resource, rest, rpc, names) }
}

#[rustfmt::skip]
static ROUTES: [Route; 23] = [
    route("GET", LOCATION, "queues", "ListQueues", "parent"),
    Route { takes: Takes::Field("queue"), ..route("POST", LOCATION, "queues", "CreateQueue", "parent") },
    route("GET", QUEUE, "", "GetQueue", "name"),
    Route { takes: Takes::Field("queue"), ..route("PATCH", QUEUE, "", "UpdateQueue", "queue.name") },
    route("DELETE", QUEUE, "", "DeleteQueue", "name"),
    post(QUEUE, ":purge", "PurgeQueue", "name"),
    post(QUEUE, ":pause", "PauseQueue", "name"),
    post(QUEUE, ":resume", "ResumeQueue", "name"),
    post(QUEUE, ":getIamPolicy", "GetIamPolicy", "resource"),
    post(QUEUE, ":setIamPolicy", "SetIamPolicy", "resource"),
    post(QUEUE, ":testIamPermissions", "TestIamPermissions", "resource"),
    route("GET", QUEUE, "tasks", "ListTasks", "parent"),
    post(QUEUE, "tasks", "CreateTask", "parent"),
    post(QUEUE, "tasks:batchCreate", "BatchCreateTasks", "parent"),
    post(QUEUE, "tasks:batchDelete", "BatchDeleteTasks", "parent"),
    route("GET", TASK, "", "GetTask", "name"),
    route("DELETE", TASK, "", "DeleteTask", "name"),
    post(TASK, ":run", "RunTask", "name"),
    route("GET", LOCATION, "cmekConfig", "GetCmekConfig", "name"),
    Route { takes: Takes::Field("cmek_config"), ..route("PATCH", LOCATION, "cmekConfig", "UpdateCmekConfig", "name") },
    Route { service: LOCATIONS, ..route("GET", PROJECT, "locations", "ListLocations", "name") },
    Route { service: LOCATIONS, ..route("GET", LOCATION, "", "GetLocation", "name") },
    Route { service: OPERATIONS, ..route("GET", OPERATION, "", "GetOperation", "name") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_methods_and_resources() {
        let check = |verb: Method, path: &str, expected: Option<(&str, &str)>| {
            let found = find(&verb, path).ok().map(|found| (found.route.rpc, found.resource));
            assert_eq!(found, expected.map(|(rpc, name)| (rpc, name.to_owned())), "{verb} {path}");
        };
        let queue = "projects/p/locations/l/queues/q";
        check(
            Method::GET,
            "/v2/projects/p/locations/l/queues",
            Some(("ListQueues", "projects/p/locations/l")),
        );
        check(Method::GET, &format!("/v2/{queue}"), Some(("GetQueue", queue)));
        check(Method::POST, &format!("/v2/{queue}:pause"), Some(("PauseQueue", queue)));
        check(Method::POST, &format!("/v2/{queue}/tasks"), Some(("CreateTask", queue)));
        check(Method::POST, &format!("/v2/{queue}/tasks:batchCreate"), Some(("BatchCreateTasks", queue)));
        check(
            Method::POST,
            "/v2/projects/a.b:c/locations/l/queues/q/tasks/t%5F1:run",
            Some(("RunTask", "projects/a.b:c/locations/l/queues/q/tasks/t_1")),
        );
        check(Method::GET, "/v2/projects/a.b:c/locations", Some(("ListLocations", "projects/a.b:c")));
        check(Method::GET, "/v2/projects/p/locations/l", Some(("GetLocation", "projects/p/locations/l")));
        check(
            Method::GET,
            "/v2/projects/p/locations/l/operations/o",
            Some(("GetOperation", "projects/p/locations/l/operations/o")),
        );
        check(Method::PUT, &format!("/v2/{queue}"), None);
        check(Method::POST, &format!("/v2/{queue}:nonsense"), None);
        check(Method::GET, &format!("/v2/{queue}/"), None);
        check(Method::GET, "/v2/projects//locations/l/queues/q", None);
        check(Method::GET, "/v2/", None);
        check(Method::GET, "/v2", None);
    }

    #[test]
    fn every_route_but_the_unimplemented_has_a_method_and_a_field_for_the_name() {
        for route in &ROUTES {
            let Some(method) = route.method() else { continue };
            let (outer, _) = route.names.split_once('.').unwrap_or((route.names, ""));
            assert!(method.input().get_field_by_name(outer).is_some(), "{}", route.rpc);
        }
        assert_eq!(ROUTES.iter().filter(|route| route.method().is_none()).count(), 5, "IAM and keys");
    }
}
