//! Reports: a month on paper, for people (HTML) and for spreadsheets (CSV).

mod csv;
mod html;

use std::collections::HashMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::{Month, today};
use super::form::Form;
use super::money::Currency;
use super::summary::Summary;
use super::transaction::Kind;
use super::violation::Violation;
use crate::categorise::Descriptor;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportStatus)]
pub enum Status {
    Queued,
    Ready,
    /// The month has more transactions than a report may have.
    Failed,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the status: it is not one of a report")]
pub struct NotAStatus;

impl FromStr for Status {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        [Self::Queued, Self::Ready, Self::Failed].into_iter().find(|it| it.as_str() == text).ok_or(NotAStatus)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    pub id: Uuid,
    #[schema(value_type = String, pattern = r"^\d{4}-\d{2}$")]
    pub month: Month,
    pub status: Status,
    pub created_at: Timestamp,
    pub ready_at: Option<Timestamp>,
}

/// What a report comes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Html,
    Csv,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }
}

/// What a client writes to ask for a report.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = ReportDraft)]
pub struct Draft {
    #[schema(value_type = String, pattern = r"^\d{4}-\d{2}$")]
    pub month: Month,
}

impl Draft {
    /// Reads a month that has begun.
    pub fn read(mut form: Form, now: Timestamp) -> Result<Self, Vec<Violation>> {
        let before = form.violations();
        let month = form.month("month");
        if form.violations() == before && month > Month::of(today(now)) {
            form.reject("month", "in_the_future", "ainda não começou");
        }
        form.finish(Self { month })
    }
}

/// Transactions of a report, splits counted one by one. A small business has some thousands a month.
pub const LINES_MAX: usize = 20_000;

/// How many payees are shown.
const PAYEES_MAX: usize = 10;

/// What one transaction, or one of its splits, was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub date: Date,
    pub account: String,
    pub description: String,
    /// From the top down, such as "Moradia > Energia".
    pub category: Option<String>,
    pub amount_cents: i64,
    pub currency: Currency,
    pub kind: Kind,
    pub tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLine {
    pub category: String,
    pub amount_cents: i64,
    pub spent_cents: i64,
}

/// What was paid to somebody, positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeTotal {
    pub payee: String,
    pub count: usize,
    pub amount_cents: i64,
}

/// Everything a report of a month says.
#[derive(Debug)]
pub struct Content {
    pub tenant_name: String,
    pub made_at: Timestamp,
    pub summary: Summary,
    pub budgets: Vec<BudgetLine>,
    /// In order of date.
    pub lines: Vec<Line>,
}

impl Content {
    pub fn render(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Html => html::render(self).into_bytes(),
            Format::Csv => csv::render(&self.lines),
        }
    }

    /// To whom most went, in BRL. A transaction that names nobody counts under its own words.
    fn payees(&self) -> Vec<PayeeTotal> {
        let mut totals: HashMap<String, (usize, i64)> = HashMap::new();
        let paid =
            |it: &&Line| it.kind == Kind::Normal && it.currency == Currency::Brl && it.amount_cents < 0;
        for line in self.lines.iter().filter(paid) {
            let payee = Descriptor::read(&line.description, line.amount_cents).model_text().to_uppercase();
            let total = totals.entry(payee).or_default();
            *total = (total.0 + 1, total.1 - line.amount_cents);
        }
        let mut payees: Vec<PayeeTotal> = totals
            .into_iter()
            .map(|(payee, (count, amount_cents))| PayeeTotal { payee, count, amount_cents })
            .collect();
        payees.sort_by(|a, b| b.amount_cents.cmp(&a.amount_cents).then_with(|| a.payee.cmp(&b.payee)));
        payees.truncate(PAYEES_MAX);
        payees
    }
}
