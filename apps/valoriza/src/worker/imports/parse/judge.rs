//! Compares what a file says with what its tenant has.

use std::collections::HashSet;

use jiff::ToSpan;
use uuid::Uuid;

use super::Outcome;
use crate::actions::Error;
use crate::db::Tx;
use crate::domain::import::{Import, Row, RowStatus, SourceKey, Statement, Status};
use crate::statement::matching::{self, Candidate, DAYS_MAX, Verdict};
use crate::statement::{self, identity, reais};
use crate::store::accounts;
use crate::store::imports::{ledger, memory};

pub(super) struct Judge<'a> {
    tenant: Uuid,
    import: &'a Import,
    /// Names of rows given out, because two statements of one account may overlap.
    names: HashSet<String>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(tenant: Uuid, import: &'a Import) -> Self {
        Self { tenant, import, names: HashSet::new() }
    }

    /// Finds each statement's account and marks the rows that are there already.
    pub(super) async fn judge(
        mut self,
        tx: &mut Tx,
        read: Vec<statement::Statement>,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::of(Status::Preview);
        // An upload can name the account of a file with one statement only.
        let named = self.import.plan.account_id.filter(|_| read.len() == 1);
        for (index, mut statement) in read.into_iter().enumerate() {
            let source =
                SourceKey { bank: statement.source.bank.clone(), number: statement.source.number.clone() };
            let account = match self.import.plan.chosen.get(&index) {
                Some(chosen) => *chosen,
                None if named.is_some() => named,
                None => memory::account_of(tx, self.tenant, &source).await?,
            };
            let account = self.of_currency(tx, account, &statement.currency).await?;
            let mut rows: Vec<Row> = statement
                .rows
                .iter()
                .zip(outcome.rows.len()..)
                .map(|(row, at)| preview(row, index, at))
                .collect();
            if let Some(account) = account {
                for (row, name) in rows.iter_mut().zip(identity::of_rows(account, &statement.rows)) {
                    row.identity = name;
                }
                self.compare(tx, account, &mut rows).await?;
                statement.warnings.extend(self.gap(tx, account, &statement).await?);
            }
            outcome.statements.push(summary(statement, index, account, &rows));
            outcome.rows.extend(rows);
            outcome.sources.push(source);
        }
        Ok(outcome)
    }

    /// The account, if it is there and of this currency.
    async fn of_currency(
        &self,
        tx: &mut Tx,
        id: Option<Uuid>,
        currency: &str,
    ) -> Result<Option<Uuid>, Error> {
        let Some(id) = id else { return Ok(None) };
        let account = accounts::find(tx, self.tenant, id).await?;
        Ok(account.filter(|it| it.currency.as_str() == currency).map(|it| it.id))
    }

    /// Marks the rows that are there already, by name or by likeness.
    async fn compare(&mut self, tx: &mut Tx, account: Uuid, rows: &mut [Row]) -> Result<(), Error> {
        let valid = || rows.iter().filter(|row| row.identity.is_some());
        let names: Vec<&str> = valid().filter_map(|row| row.identity.as_deref()).collect();
        let imported = ledger::imported(tx, self.tenant, &names).await?;
        let days = || valid().filter_map(|row| row.date);
        let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(()) };
        let (from, to) = (first.saturating_sub(DAYS_MAX.days()), last.saturating_add(DAYS_MAX.days()));
        let known = ledger::known(tx, self.tenant, account, from, to).await?;
        let candidate = |row: &'_ Row| {
            let (date, amount_cents) = (row.date?, row.amount_cents?);
            row.identity.as_deref().map(|_| (date, amount_cents))
        };
        let candidates: Vec<Candidate<'_>> = valid()
            .filter_map(candidate)
            .zip(&names)
            .map(|((date, amount_cents), identity)| Candidate { date, amount_cents, identity })
            .collect();
        let verdicts = matching::judge(&candidates, &known, &imported);
        let valid = rows.iter_mut().filter(|row| row.identity.is_some());
        for (row, verdict) in valid.zip(verdicts) {
            self.mark(row, verdict);
        }
        Ok(())
    }

    fn mark(&mut self, row: &mut Row, verdict: Verdict) {
        let Some(name) = row.identity.clone() else { return };
        let is_repeated = !self.names.insert(name.clone());
        let (reason, transaction_id, is_taken) = match verdict {
            Verdict::Imported(id) => ("já importado", Some(id), true),
            Verdict::Repeated => ("repetido neste arquivo", None, true),
            Verdict::New | Verdict::Resembles(_) if is_repeated => ("repetido neste arquivo", None, true),
            Verdict::Resembles(id) => ("parece uma transação já lançada", Some(id), false),
            Verdict::New => return,
        };
        row.status = RowStatus::Duplicate;
        row.include = false;
        row.reason = Some(reason.to_owned());
        row.transaction_id = transaction_id;
        // If its user wants it all the same, it needs a name of its own.
        if is_taken {
            row.identity = Some(identity::again(&name, self.import.id, row.index));
        }
    }

    /// Tells when the statement does not begin where the account's transactions end.
    async fn gap(
        &self,
        tx: &mut Tx,
        account: Uuid,
        statement: &statement::Statement,
    ) -> Result<Option<String>, Error> {
        let first = statement.rows.iter().filter_map(|row| row.date).min();
        let (Some(opening), Some(day)) = (statement.opening_cents, first) else { return Ok(None) };
        let before = ledger::balance_before(tx, self.tenant, account, day).await?;
        let balance = match before {
            Some(balance) => balance,
            None => accounts::find(tx, self.tenant, account).await?.map_or(0, |it| it.opening_balance_cents),
        };
        if balance == opening {
            return Ok(None);
        }
        let (ours, theirs, day) = (reais(balance), reais(opening), day.strftime("%d/%m/%Y"));
        Ok(Some(match before {
            Some(_) => format!(
                "Antes de {day} a conta tem {ours} e o extrato começa com {theirs}: pode faltar um período."
            ),
            None => format!("O extrato começa com {theirs} e o saldo inicial da conta é {ours}: ajuste-o."),
        }))
    }
}

/// A row as it would be imported if nothing spoke against it.
fn preview(row: &statement::Row, statement: usize, position: usize) -> Row {
    let place = |number: usize| i64::try_from(number).expect("at most 50,000 rows");
    Row {
        index: place(position),
        statement: place(statement),
        date: row.date,
        description: row.description.clone(),
        amount_cents: row.amount_cents,
        status: if row.problem.is_some() { RowStatus::Invalid } else { RowStatus::New },
        include: row.problem.is_none(),
        reason: row.problem.clone(),
        transaction_id: None,
        suggestion: None,
        identity: None,
        chosen: None,
    }
}

fn summary(read: statement::Statement, index: usize, account_id: Option<Uuid>, rows: &[Row]) -> Statement {
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    Statement {
        index,
        label: read.source.label,
        account_id,
        currency: read.currency,
        from: read.from,
        to: read.to,
        rows: rows.len(),
        new: count(RowStatus::New),
        duplicate: count(RowStatus::Duplicate),
        invalid: count(RowStatus::Invalid),
        warnings: read.warnings,
    }
}
