//! `[[routes]]`

use super::guards::{AUTHENTICATE, CACHING, CORS, HOSTS, LIMIT, NETWORKS, REQUIRE, SECURITY, STICKY};
use super::{BODY_MAX, text};
use crate::grammar::{Bounds, Form, Key, Kind};

/// The keys of a route that say where it leads: exactly one stands in each route.
pub(crate) const TARGETS: [&str; 3] = ["service", "url", "files"];

pub(super) static ROUTE: [Key; 16] = [
    Key::new("match", text(Form::Match), "\"/api/*\"", "Which requests: [METHOD ]/path, /path/*, or /path*")
        .required(),
    Key::new("host", text(Form::Host), "\"shop.example.com\"", "Only requests to this host, or *.of.these"),
    Key::new("service", text(Form::NameOf("services")), "\"api\"", "Leads to this service").filled(),
    Key::new(
        "url",
        text(Form::Origin),
        "\"http://127.0.0.1:9000\"",
        "Leads to this server outside the platform",
    )
    .filled(),
    Key::new("files", text(Form::Folder), "\"ui/dist\"", "Leads to the files in this folder").filled(),
    Key::new("spa", Kind::Flag, "true", "With files: navigations to unknown paths get index.html"),
    Key::new(
        "body",
        Kind::Size(Bounds { min: 1, max: BODY_MAX, default: None }),
        "\"1GiB\"",
        "Largest request body here, instead of the one in [limits]",
    ),
    AUTHENTICATE,
    REQUIRE,
    LIMIT,
    CORS,
    HOSTS,
    NETWORKS,
    SECURITY,
    STICKY,
    CACHING,
];
