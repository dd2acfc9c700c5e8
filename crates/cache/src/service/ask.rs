//! From a miss to an answer of somebody else's fill, or to the right to fill.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::time::Instant;

use super::fill::Fill;
use super::question::Question;
use super::remote::Opening;
use super::unanswerable;
use crate::flights::{InVain, Landing, Lead, Seat};
use crate::metrics::Outcome;
use crate::policy::{Bypass, Handling, Verdict};

/// How long a request waits for another's fill before it asks the service itself. Instances start from zero in less;
/// an answer that takes longer is better asked for by everybody than missed by everybody.
pub const WAIT: Duration = Duration::from_secs(10);

/// Fills a request waits for whose answers turn out not to be for it: by another `Vary` or by a purge. Purges that come
/// faster than the service answers would keep it waiting otherwise.
const ROUNDS: usize = 3;

/// A request that memory has nothing for.
pub struct Ask {
    /// Boxed, here and in what comes of it: requests that hit carry room for all of these too.
    question: Box<Question>,
    lead: Option<Lead>,
}

/// What comes of an [`Ask`].
pub enum Settled {
    /// Goes to the client as it is.
    Answer(Response<Bytes>),
    /// As [`super::Look::Stale`].
    Stale(Response<Bytes>, Ask),
    /// The caller asks the service.
    Fill(Fill),
    /// As [`super::Look::Pass`].
    Pass(Bypass),
}

impl Ask {
    pub(super) fn new(question: Box<Question>) -> Self {
        Self { question, lead: None }
    }

    /// To refresh what the client has been answered with already.
    pub(super) fn refresh(mut question: Box<Question>, lead: Lead) -> Self {
        question.is_counted = false;
        Self { question, lead: Some(lead) }
    }

    /// Waits for a fill under way, or becomes the one who fills; at most [`WAIT`].
    pub async fn settle(mut self) -> Settled {
        if self.question.route.shared.redis.is_some() && self.lead.is_none() {
            self = match self.remember().await {
                Ok(settled) => return settled,
                Err(ask) => ask,
            };
        }
        let deadline = Instant::now() + WAIT;
        for _round in 0..ROUNDS {
            if self.lead.is_none() && !self.question.may_wait() {
                break;
            }
            let landing = loop {
                let flights = &self.question.route.shared.flights;
                let seat = self.lead.take().map_or_else(|| flights.join(&self.question.place), Seat::Lead);
                let wait = match seat {
                    Seat::Wait(wait) => wait,
                    Seat::Lead(lead) => {
                        // Others may have filled since this one looked.
                        if let Some(entry) = self.question.look_again()
                            && self.question.confirm(&entry).await
                        {
                            return self.collapsed(&entry);
                        }
                        if lead.is_of(&self.question.place) {
                            return self.begin(Some(lead)).await;
                        }
                        continue;
                    }
                };
                let counted = self.question.route.shared.metrics.waits();
                let landing = wait.landing(deadline).await;
                drop(counted);
                match landing {
                    Ok(landing) => break landing,
                    // One of those who waited takes over.
                    Err(InVain::Leaderless) => {}
                    Err(InVain::TooLong) => {
                        self.question.route.metrics.gave_up.inc();
                        return self.begin(None).await;
                    }
                }
            };
            if let Some(settled) = self.landed(landing).await {
                return settled;
            }
        }
        self.begin(None).await
    }

    /// What memory has and Redis confirms. `Err`: nothing; on as if memory had nothing, or must be revalidated.
    async fn remember(mut self) -> Result<Settled, Self> {
        let Some((entry, is_fresh)) = self.question.remembered() else { return Err(self) };
        if !self.question.confirm(&entry).await {
            return match unanswerable(&self.question.wishes) {
                Some(bypass) => {
                    self.question.route.metrics.passed(bypass);
                    Ok(Settled::Pass(bypass))
                }
                None => Err(self),
            };
        }
        let response = self.question.answer(&entry, Handling::Hit);
        if is_fresh {
            self.question.count(Outcome::Hit);
            return Ok(Settled::Answer(response));
        }
        self.question.count(Outcome::Stale);
        // What a HEAD gets back could not be stored.
        let may_lead = !self.question.wishes.head();
        let flights = &self.question.route.shared.flights;
        Ok(match may_lead.then(|| flights.lead(&self.question.place)).flatten() {
            Some(lead) => Settled::Stale(response, Self::refresh(self.question, lead)),
            None => Settled::Answer(response),
        })
    }

    /// Becomes the one who fills, unless another gateway has.
    async fn begin(mut self, lead: Option<Lead>) -> Settled {
        let Some(redis) = self.question.route.shared.redis.clone() else {
            return Settled::Fill(Fill::new(self.question, lead, None));
        };
        match self.question.open(&redis).await {
            Opening::Fill(number) => Settled::Fill(Fill::new(self.question, lead, number)),
            Opening::Found(entry) => {
                self.question.count(Outcome::Hit);
                let response = self.question.answer(&entry, Handling::Hit);
                if let Some(lead) = lead {
                    lead.land(Landing::Filled(entry));
                }
                Settled::Answer(response)
            }
        }
    }

    /// `None`: this landing is not for this request.
    async fn landed(&mut self, landing: Landing) -> Option<Settled> {
        let question = &mut self.question;
        match landing {
            Landing::Filled(entry) => {
                if !question.route.shared.ledger.is_live(&entry) || !question.confirm(&entry).await {
                    let entry = question.look_again()?;
                    return question.confirm(&entry).await.then(|| self.collapsed(&entry));
                }
                match entry.stored.judge(&question.wishes, &question.headers, question.now()) {
                    Verdict::Fresh | Verdict::Stale => Some(self.collapsed(&entry)),
                    Verdict::Revalidate => {
                        question.is_shared = false;
                        question.old = Some(entry);
                        None
                    }
                    Verdict::Unusable => {
                        let entry = question.look_again()?;
                        question.confirm(&entry).await.then(|| self.collapsed(&entry))
                    }
                }
            }
            Landing::Unshared => {
                question.is_shared = false;
                None
            }
            Landing::Failed => {
                question.is_shared = false;
                let old = question.usable_on_error()?;
                if !question.confirm(&old).await {
                    return None;
                }
                question.count(Outcome::Stale);
                Some(Settled::Answer(question.answer(&old, Handling::Failed(None))))
            }
        }
    }

    fn collapsed(&self, entry: &crate::memory::Entry) -> Settled {
        self.question.count(Outcome::Collapsed);
        Settled::Answer(self.question.answer(entry, Handling::Collapsed(self.question.forward)))
    }
}
