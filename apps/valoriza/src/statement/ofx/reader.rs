//! Listens to tags and keeps the statements among them.
//!
//! Whether a tag encloses others or holds a value shows only afterwards: text after it makes it a value. An
//! empty value left unclosed so looks like an aggregate; it lands on the stack, is none of the places we know,
//! and is passed over when asked where we are.

use std::mem;

use super::super::balance;
use super::super::source::Source;
use super::super::{
    Decimal, FIELD_BYTES_MAX, Failure, ROWS_MAX, Row, STATEMENTS_MAX, Statement, amount, clean, date, join,
    period,
};
use super::tokens::{Token, Tokens};

/// Tags open at once; the deepest statement has some ten.
const DEPTH_MAX: usize = 64;

/// Where a value can be and mean something to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `<OFX>` itself and wherever nothing of interest is.
    Outside,
    Statement,
    /// The account the statement is of.
    Account,
    Row,
    Ledger,
    /// Inside something known whose values would be mistaken for others: a payee's account, a currency.
    Elsewhere,
}

fn place_of(tag: &str) -> Option<Place> {
    match tag {
        "OFX" => Some(Place::Outside),
        "STMTRS" | "CCSTMTRS" | "INVSTMTRS" | "BANKTRANLIST" => Some(Place::Statement),
        "BANKACCTFROM" | "CCACCTFROM" | "INVACCTFROM" => Some(Place::Account),
        "STMTTRN" | "PAYEE" => Some(Place::Row),
        "LEDGERBAL" => Some(Place::Ledger),
        "BANKACCTTO" | "CCACCTTO" | "CURRENCY" | "ORIGCURRENCY" | "AVAILBAL" | "BALLIST" | "SONRS"
        | "STATUS" => Some(Place::Elsewhere),
        _ => None,
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Statement>, Failure> {
    let mut reader = Reader::default();
    let mut tokens = Tokens::new(text);
    while let Some(token) = tokens.next() {
        reader.line = tokens.line();
        match token {
            Token::Text(text) => reader.text(&text)?,
            Token::Open(name) => {
                reader.settle()?;
                reader.pending = Some((name.to_ascii_uppercase(), reader.line));
            }
            Token::Close(name) => {
                reader.settle()?;
                reader.close(&name.to_ascii_uppercase());
            }
        }
    }
    reader.settle()?;
    reader.finish()
}

#[derive(Default)]
struct Reader {
    line: u64,
    /// The last tag opened and its line, until it shows what it is.
    pending: Option<(String, u64)>,
    value: String,
    stack: Vec<(String, Option<Place>)>,
    /// `FI` `ORG`: the bank's own name.
    bank: String,
    statement: Option<Draft>,
    row: Option<RowDraft>,
    done: Vec<Draft>,
    rows: usize,
    opened: bool,
    closed: bool,
}

/// A statement as far as it was read.
#[derive(Default)]
struct Draft {
    is_card: bool,
    bank_id: String,
    branch: String,
    number: String,
    currency: String,
    from: String,
    to: String,
    ledger: String,
    ledger_at: String,
    rows: Vec<RowDraft>,
}

#[derive(Default)]
struct RowDraft {
    line: u64,
    kind: String,
    posted: String,
    used: String,
    amount: String,
    id: String,
    name: String,
    memo: String,
}

impl Reader {
    fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.pending.is_some() {
            self.value.push_str(if self.value.is_empty() { text.trim_start() } else { text });
            if self.value.len() > FIELD_BYTES_MAX {
                return Err(Failure::field_too_long(self.line));
            }
        }
        Ok(())
    }

    /// Decides what the last tag opened is, now that it is known what follows it.
    fn settle(&mut self) -> Result<(), Failure> {
        let Some((tag, line)) = self.pending.take() else {
            return Ok(());
        };
        let value = mem::take(&mut self.value);
        let value = value.trim();
        // Text may follow an aggregate too, if it is only a stray.
        if value.is_empty() || place_of(&tag).is_some() {
            return self.open(tag, line);
        }
        self.keep(&tag, value);
        Ok(())
    }

    fn open(&mut self, tag: String, line: u64) -> Result<(), Failure> {
        match tag.as_str() {
            "OFX" => self.opened = true,
            "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => {
                self.end_statement();
                if self.done.len() == STATEMENTS_MAX {
                    let detail = format!("O arquivo tem mais de {STATEMENTS_MAX} contas.");
                    return Err(Failure::new("too_many_statements", detail).at(line));
                }
                self.statement = Some(Draft { is_card: tag == "CCSTMTRS", ..Draft::default() });
            }
            // A row left open ends where the next begins.
            "STMTTRN" => {
                self.close("STMTTRN");
                if self.rows == ROWS_MAX {
                    return Err(Failure::too_many_rows(line));
                }
                self.rows += 1;
                self.row = Some(RowDraft { line, ..RowDraft::default() });
            }
            _ => {}
        }
        if self.stack.len() == DEPTH_MAX {
            return Err(Failure::new("too_deep", "O arquivo abre marcas demais sem fechar.").at(line));
        }
        let place = place_of(&tag);
        self.stack.push((tag, place));
        Ok(())
    }

    /// Closes a tag and all that were left open in it; a tag that is not open is ignored.
    fn close(&mut self, tag: &str) {
        self.closed |= tag == "OFX";
        let Some(position) = self.stack.iter().rposition(|(it, _)| it == tag) else {
            return;
        };
        for (ended, _) in self.stack.split_off(position) {
            match ended.as_str() {
                "STMTTRN" => self.end_row(),
                "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => self.end_statement(),
                _ => {}
            }
        }
    }

    fn place(&self) -> Place {
        self.stack.iter().rev().find_map(|(_, place)| *place).unwrap_or(Place::Outside)
    }

    fn keep(&mut self, tag: &str, value: &str) {
        let place = self.place();
        if tag == "ORG" && self.bank.is_empty() {
            value.clone_into(&mut self.bank);
        }
        let (statement, row) = (&mut self.statement, &mut self.row);
        let field = match (place, tag) {
            (Place::Statement, "CURDEF") => statement.as_mut().map(|it| &mut it.currency),
            (Place::Statement, "DTSTART") => statement.as_mut().map(|it| &mut it.from),
            (Place::Statement, "DTEND") => statement.as_mut().map(|it| &mut it.to),
            (Place::Account, "BANKID" | "BROKERID") => statement.as_mut().map(|it| &mut it.bank_id),
            (Place::Account, "BRANCHID") => statement.as_mut().map(|it| &mut it.branch),
            (Place::Account, "ACCTID") => statement.as_mut().map(|it| &mut it.number),
            (Place::Ledger, "BALAMT") => statement.as_mut().map(|it| &mut it.ledger),
            (Place::Ledger, "DTASOF") => statement.as_mut().map(|it| &mut it.ledger_at),
            (Place::Row, "TRNTYPE") => row.as_mut().map(|it| &mut it.kind),
            (Place::Row, "DTPOSTED") => row.as_mut().map(|it| &mut it.posted),
            (Place::Row, "DTUSER") => row.as_mut().map(|it| &mut it.used),
            (Place::Row, "TRNAMT") => row.as_mut().map(|it| &mut it.amount),
            (Place::Row, "FITID") => row.as_mut().map(|it| &mut it.id),
            (Place::Row, "NAME") => row.as_mut().map(|it| &mut it.name),
            (Place::Row, "MEMO") => row.as_mut().map(|it| &mut it.memo),
            _ => None,
        };
        if let Some(field) = field.filter(|field| field.is_empty()) {
            value.clone_into(field);
        }
    }

    fn end_row(&mut self) {
        if let Some(row) = self.row.take() {
            // Rows outside any statement are of one nobody announced.
            self.statement.get_or_insert_default().rows.push(row);
        }
    }

    fn end_statement(&mut self) {
        self.end_row();
        self.done.extend(self.statement.take());
    }

    fn finish(mut self) -> Result<Vec<Statement>, Failure> {
        self.end_statement();
        if !self.opened {
            return Err(Failure::new(
                "not_a_statement",
                "O arquivo não é um extrato: não tem a marca <OFX>.",
            ));
        }
        if !self.closed {
            let detail = "O arquivo está cortado: falta a marca </OFX> no fim. Baixe-o de novo.";
            return Err(Failure::new("truncated", detail).at(self.line));
        }
        if self.done.is_empty() {
            return Err(Failure::new("no_statement", "O arquivo não tem nenhuma conta."));
        }
        let bank = self.bank;
        Ok(self.done.into_iter().map(|it| it.into_statement(&bank)).collect())
    }
}

impl Draft {
    fn into_statement(self, bank_name: &str) -> Statement {
        let mut rows: Vec<Row> = self.rows.iter().map(RowDraft::read).collect();
        let mut warnings = Vec::new();
        if restore_signs(&mut rows, &self.rows) {
            let text =
                "Os valores vieram sem sinal: entradas e saídas foram deduzidas do tipo de cada lançamento.";
            warnings.push(text.to_owned());
        }
        let (first, last) = period(&rows);
        let (from, to) = (date::parse_ofx(&self.from).or(first), date::parse_ofx(&self.to).or(last));
        // A ledger balance of another day than the last says nothing about the first. A card's has its own rules.
        let at = date::parse_ofx(&self.ledger_at);
        let ledger = amount::parse(&self.ledger, Decimal::Either).ok();
        let ledger = ledger.filter(|_| !self.is_card && at.is_some() && (at == to || at == last));
        Statement {
            opening_cents: ledger.and_then(|closing| balance::before(&rows, closing)),
            source: Source::of_ofx(bank_name, &self.bank_id, &self.branch, &self.number, self.is_card),
            currency: if self.currency.is_empty() { "BRL".to_owned() } else { self.currency.to_uppercase() },
            from,
            to,
            rows,
            warnings,
        }
    }
}

impl RowDraft {
    fn read(&self) -> Row {
        let date = date::parse_ofx(&self.posted).or_else(|| date::parse_ofx(&self.used));
        let amount = amount::parse(&self.amount, Decimal::Either);
        let problem = match (date, amount) {
            (None, _) => Some(format!("a data não pode ser lida: {}", clean(&self.posted))),
            (_, Err(why)) => Some(format!("{why}: {}", clean(&self.amount))),
            (_, Ok(0)) => Some("o valor é zero".to_owned()),
            (Some(_), Ok(_)) => None,
        };
        let description = join(&self.name, &self.memo);
        Row {
            line: self.line,
            date,
            amount_cents: amount.ok(),
            description: if description.is_empty() { clean(&self.kind) } else { description },
            bank_id: Some(clean(&self.id)).filter(|id| !id.is_empty()),
            problem,
        }
    }

    /// Whether the type says that money went out.
    fn is_outgoing(&self) -> bool {
        const OUTGOING: [&str; 10] =
            ["DEBIT", "PAYMENT", "CHECK", "FEE", "SRVCHG", "ATM", "POS", "DIRECTDEBIT", "REPEATPMT", "CASH"];
        OUTGOING.iter().any(|it| self.kind.eq_ignore_ascii_case(it))
    }
}

/// Gives amounts the sign their type says, if no amount of the statement has one: else the signs are right.
fn restore_signs(rows: &mut [Row], drafts: &[RowDraft]) -> bool {
    let signed = drafts.iter().any(|it| it.amount.contains(['-', '+', '(', '\u{2212}']));
    if signed || !drafts.iter().any(RowDraft::is_outgoing) {
        return false;
    }
    for (row, draft) in rows.iter_mut().zip(drafts) {
        if draft.is_outgoing() {
            row.amount_cents = row.amount_cents.map(|cents| -cents.abs());
        }
    }
    true
}
