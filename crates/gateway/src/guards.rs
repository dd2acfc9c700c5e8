//! What stands between a client and a route.
//!
//! [`Guards::admit`] judges a request, in an order whose reasons stand beside its steps; [`Guards::dress`] gives the
//! answer, whoever it comes from, the headers that guards owe it. Between the two, [`Notes`] carry what was found out.
//! Guards are for the routes of the public listener: the services' own listeners and mounts have
//! [`crate::access::Access`].

pub(crate) mod auth;
mod cors;
mod hosts;
pub(crate) mod limit;
pub(crate) mod networks;
mod security;
mod sticky;
pub(crate) mod visitor;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, Response};
use mare_fleet::InstanceId;
use mare_manifest::model::guard as model;
use tokio::time::Instant;

use self::auth::{Authority, Checked, Claimant, Pending};
use self::cors::Cors;
pub(crate) use self::cors::method_after_preflight;
use self::hosts::Hosts;
use self::limit::{Limit, Quota};
use self::networks::Networks;
use self::security::Security;
use self::sticky::Sticky;
use self::visitor::Visitor;
use crate::problem::Refusal;
use crate::proxy::Moved;

/// The guards of one route.
pub(crate) struct Guards {
    networks: Networks,
    hosts: Hosts,
    cors: Option<Cors>,
    limit: Option<Limit>,
    authority: Authority,
    security: Option<Security>,
    sticky: Option<Sticky>,
    model: model::Guards,
}

/// What a request shows to the guards.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// Without port.
    pub(crate) host: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) visitor: &'a Visitor,
    pub(crate) now: Instant,
    pub(crate) worker: usize,
}

/// What the guards let happen.
pub(crate) enum Verdict {
    /// With who asks, if the route wants to know and it was proved.
    Admitted(Option<Arc<Claimant>>),
    /// A preflight.
    Answered(Response<Bytes>),
    /// Something must be asked elsewhere first; then [`Guards::go_on`] goes on.
    Unsure(Doubt),
}

/// What cannot be judged at once.
pub(crate) enum Doubt {
    /// The key that signed the token must be fetched.
    Credentials(Pending),
    /// The bucket is in Redis.
    Limit(limit::Doubt),
    /// The same, of one whose credentials are known.
    LimitOf(limit::Doubt, Option<Arc<Claimant>>),
}

/// A [`Doubt`] that is none any more.
pub(crate) enum Settled {
    Credentials(Arc<Claimant>),
    Limit(limit::Known),
    LimitOf(limit::Known, Option<Arc<Claimant>>),
}

impl Doubt {
    /// Waits, for a bounded time, for the answer.
    pub(crate) async fn settle(self) -> Result<Settled, Refusal> {
        Ok(match self {
            Self::Credentials(pending) => Settled::Credentials(pending.settle().await?),
            Self::Limit(doubt) => Settled::Limit(doubt.settle().await),
            Self::LimitOf(doubt, claimant) => Settled::LimitOf(doubt.settle().await, claimant),
        })
    }
}

/// What was found out about a request that its answer must say.
#[derive(Default)]
pub(crate) struct Notes {
    /// The origin to allow.
    origin: Option<HeaderValue>,
    quota: Option<Quota>,
    is_https: bool,
    is_preflight: bool,
}

impl Guards {
    /// `None`: the route has none.
    pub(crate) fn new(
        guards: &model::Guards,
        service: &str,
        authority: &Authority,
        limited: limit::Of<'_>,
    ) -> Option<Box<Self>> {
        if *guards == model::Guards::default() {
            return None;
        }
        Some(Box::new(Self {
            networks: Networks::new(&guards.networks),
            hosts: Hosts::new(&guards.hosts),
            cors: guards.cors.as_ref().map(Cors::new),
            limit: guards.limit.as_ref().map(|limit| Limit::new(limit, limited)),
            authority: authority.clone(),
            security: guards.security.as_ref().map(Security::new),
            sticky: guards.sticky.as_ref().map(|sticky| Sticky::new(sticky, service)),
            model: guards.clone(),
        }))
    }

    /// Whether preflights for this route are answered here.
    pub(crate) fn answers_preflights(&self) -> bool {
        self.cors.is_some()
    }

    /// Judges a request; what its answer must say goes to `notes`, refused or not.
    pub(crate) fn admit(&self, asked: &Asked<'_>, notes: &mut Notes) -> Result<Verdict, Refusal> {
        notes.is_https = asked.visitor.is_https;
        // Before anything can refuse: a page must be able to read every refusal.
        if let Some(cors) = &self.cors {
            notes.origin = cors.allowed(asked.headers);
        }
        // First, so that whoever must not be here learns and costs nothing.
        self.networks.check(asked.visitor.address)?;
        // Before CORS: a page that reached us by DNS rebinding gets no preflight answered.
        self.hosts.check(asked.host)?;
        // Before limits and credentials: a preflight brings none, and browsers, not pages, decide to send it.
        if let Some(cors) = &self.cors
            && method_after_preflight(asked.method, asked.headers).is_some()
        {
            notes.is_preflight = true;
            return Ok(Verdict::Answered(cors.preflight(asked.headers)));
        }
        // Before credentials where who asks does not matter: a flood of forged tokens costs no signature checks.
        if let Some(limit) = &self.limit
            && !limit.is_of_claimant()
        {
            if let Some(doubt) = limit.doubt(asked, None) {
                return Ok(Verdict::Unsure(Doubt::Limit(doubt)));
            }
            limit.take(asked, None, notes)?;
        }
        self.identify(asked, notes)
    }

    /// Goes on where a doubt was.
    pub(crate) fn go_on(
        &self,
        asked: &Asked<'_>,
        settled: Settled,
        notes: &mut Notes,
    ) -> Result<Verdict, Refusal> {
        match settled {
            Settled::Credentials(claimant) => self.admit_known(asked, Some(claimant), notes),
            Settled::Limit(known) => {
                if let Some(limit) = &self.limit {
                    limit.taken(known, asked, None, notes)?;
                }
                self.identify(asked, notes)
            }
            Settled::LimitOf(known, claimant) => {
                if let Some(limit) = &self.limit {
                    limit.taken(known, asked, claimant.as_deref(), notes)?;
                }
                Ok(Verdict::Admitted(claimant))
            }
        }
    }

    /// Finds out who asks.
    fn identify(&self, asked: &Asked<'_>, notes: &mut Notes) -> Result<Verdict, Refusal> {
        match self.authority.check(asked.worker, asked.headers, &self.model) {
            Checked::Anyone => self.admit_known(asked, None, notes),
            Checked::Known(claimant) => self.admit_known(asked, Some(claimant), notes),
            Checked::Unsure(pending) => Ok(Verdict::Unsure(Doubt::Credentials(pending))),
            Checked::Refused(refusal) => Err(refusal),
        }
    }

    /// The guards that need to know who asks.
    fn admit_known(
        &self,
        asked: &Asked<'_>,
        claimant: Option<Arc<Claimant>>,
        notes: &mut Notes,
    ) -> Result<Verdict, Refusal> {
        // After credentials: nobody uses up the requests of somebody else by claiming to be him.
        if let Some(limit) = &self.limit
            && limit.is_of_claimant()
        {
            if let Some(doubt) = limit.doubt(asked, claimant.as_deref()) {
                return Ok(Verdict::Unsure(Doubt::LimitOf(doubt, claimant)));
            }
            limit.take(asked, claimant.as_deref(), notes)?;
        }
        Ok(Verdict::Admitted(claimant))
    }

    /// Where the client's session is, if the route has sessions that stay.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sticky.as_ref().map(|sticky| Session { instance: sticky.instance(headers) })
    }

    /// Gives an answer its headers.
    pub(crate) fn dress<B>(&self, response: &mut Response<B>, notes: Notes) {
        let moved: Option<Moved> =
            if self.sticky.is_some() { response.extensions_mut().remove() } else { None };
        let headers = response.headers_mut();
        if let Some(cors) = &self.cors {
            if !notes.is_preflight {
                cors::strip(headers);
            }
            cors.dress(headers, notes.origin);
        }
        if let (Some(limit), Some(quota)) = (&self.limit, notes.quota) {
            limit.dress(headers, quota);
        }
        if let Some(security) = &self.security {
            security.dress(headers, notes.is_https);
        }
        if let (Some(sticky), Some(Moved(instance))) = (&self.sticky, moved) {
            sticky.dress(headers, instance, notes.is_https);
        }
    }
}

/// A client that stays with an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    /// The one it was with.
    pub(crate) instance: Option<InstanceId>,
}
