//! What a client may change about an import before it is committed.

use utoipa::ToSchema;
use uuid::Uuid;

use super::super::form::Form;
use super::super::violation::Violation;
use crate::statement::csv::mapping::{COLUMN_MAX, HEADER_ROWS_MAX};
use crate::statement::{AmountColumns, Decimal, Mapping, Order};

/// Statements in one change: as many as a file may have.
const STATEMENTS_MAX: usize = 100;

/// Rows named in one change; more are sent in several.
const ROWS_MAX: usize = 10_000;

/// The body as documented; [`Change`] is what it is read into.
#[derive(ToSchema)]
pub struct ImportChange {
    #[schema(required = false)]
    pub statements: Vec<StatementAccount>,
    pub mapping: Option<MappingBody>,
    /// Rows to leave out, by index.
    #[schema(required = false)]
    pub exclude: Vec<i64>,
    /// Rows to import though they look like duplicates, by index.
    #[schema(required = false)]
    pub include: Vec<i64>,
}

/// Which account a statement of the file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub struct StatementAccount {
    pub index: usize,
    pub account_id: Option<Uuid>,
}

/// How the columns of a table are read; columns count from 0. Either `amount_column`, or `credit_column` and
/// `debit_column`.
#[derive(ToSchema)]
#[schema(as = ImportMapping)]
pub struct MappingBody {
    /// One of `;` `,` `|` and the tab.
    pub delimiter: String,
    pub header_rows: usize,
    pub date_column: usize,
    pub description_column: usize,
    pub amount_column: Option<usize>,
    pub credit_column: Option<usize>,
    pub debit_column: Option<usize>,
    /// `dd/mm/yyyy`, `dd/mm/yy`, `yyyy-mm-dd` or `mm/dd/yyyy`.
    pub date_format: String,
    /// `comma` or `point`.
    pub decimal: String,
    /// Positive amounts are spending.
    pub negate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub statements: Vec<StatementAccount>,
    pub mapping: Option<Mapping>,
    pub exclude: Vec<i64>,
    pub include: Vec<i64>,
}

impl Change {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let has_mapping = form.has_value("mapping");
        let change = Self {
            statements: form.list("statements", STATEMENTS_MAX, |form| StatementAccount {
                index: form.number("index", STATEMENTS_MAX),
                account_id: form.optional_id("account_id"),
            }),
            mapping: has_mapping.then(|| form.object("mapping", read_mapping)),
            exclude: form.numbers("exclude", ROWS_MAX),
            include: form.numbers("include", ROWS_MAX),
        };
        let judged_anew = change.mapping.is_some() || !change.statements.is_empty();
        for (field, rows) in [("exclude", &change.exclude), ("include", &change.include)] {
            if judged_anew && !rows.is_empty() {
                form.reject(field, "too_early", "as linhas mudam com a conta e o mapa: envie depois");
            }
        }
        form.finish(change)
    }
}

fn read_mapping(form: &mut Form) -> Mapping {
    const SOME_DELIMITER: char = ';';
    let delimiter = form.secret("delimiter");
    let delimiter = delimiter.parse().ok().filter(|it| matches!(it, ';' | ',' | '\t' | '|'));
    if delimiter.is_none() && form.is_fine() {
        form.reject("delimiter", "invalid", "deve ser ; , | ou tabulação");
    }
    let amount = match form.optional_number("amount_column", COLUMN_MAX) {
        Some(column) => AmountColumns::One(column),
        None => AmountColumns::Two {
            credit: form.number("credit_column", COLUMN_MAX),
            debit: form.number("debit_column", COLUMN_MAX),
        },
    };
    let DateFormat(order) = form.choice("date_format", "dd/mm/yyyy, dd/mm/yy, yyyy-mm-dd ou mm/dd/yyyy");
    let Point(decimal) = form.choice("decimal", "comma ou point");
    Mapping {
        delimiter: delimiter.unwrap_or(SOME_DELIMITER),
        header_rows: form.number("header_rows", HEADER_ROWS_MAX),
        date_column: form.number("date_column", COLUMN_MAX),
        description_column: form.number("description_column", COLUMN_MAX),
        amount,
        order,
        decimal,
        negate: form.optional_flag("negate").unwrap_or(false),
    }
}

/// A date format by its name.
struct DateFormat(Order);

impl Default for DateFormat {
    fn default() -> Self {
        Self(Order::DayMonthYear)
    }
}

impl std::str::FromStr for DateFormat {
    type Err = super::NotAWord;

    fn from_str(text: &str) -> Result<Self, super::NotAWord> {
        match text {
            // Years of two digits are told by their length.
            "dd/mm/yyyy" | "dd/mm/yy" => Ok(Self(Order::DayMonthYear)),
            "yyyy-mm-dd" => Ok(Self(Order::YearMonthDay)),
            "mm/dd/yyyy" => Ok(Self(Order::MonthDayYear)),
            _ => Err(super::NotAWord),
        }
    }
}

/// A decimal separator by its name.
struct Point(Decimal);

impl Default for Point {
    fn default() -> Self {
        Self(Decimal::Comma)
    }
}

impl std::str::FromStr for Point {
    type Err = super::NotAWord;

    fn from_str(text: &str) -> Result<Self, super::NotAWord> {
        match text {
            "comma" => Ok(Self(Decimal::Comma)),
            "point" => Ok(Self(Decimal::Point)),
            _ => Err(super::NotAWord),
        }
    }
}
