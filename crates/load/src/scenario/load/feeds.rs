//! `[feeds.NAME]`

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use mare_manifest::Mistake;
use mare_manifest::reading::Port;
use mare_manifest::reading::section::Section;
use toml::de::DeValue;

use super::super::grammar::ROWS_MAX;
use super::super::{Feed, Order, Rows, Template};
use super::texts::{Names, Place, Writer};

/// Where rows come from: exactly one stands in each feed.
const SOURCES: [&str; 3] = ["file", "rows", "columns"];

type Read<'r> = &'r dyn Fn(&Path) -> io::Result<String>;

/// Columns and rows.
type Data = (Vec<String>, Rows);

/// Reads all of them. After a mistake a feed has no columns, and nobody asks which it has.
pub(super) fn feeds(root: &Section<'_>, users: u32, read: Read<'_>) -> BTreeMap<String, Feed> {
    let feed = |(name, section): (&str, Section<'_>)| (name.to_owned(), feed(&section, users, read));
    root.named("feeds").into_iter().map(feed).collect()
}

fn feed(section: &Section<'_>, users: u32, read: Read<'_>) -> Feed {
    let named: Vec<&str> = SOURCES.into_iter().filter(|source| section.has(source)).collect();
    if let [first, second, ..] = named.as_slice() {
        section.reading.note(
            Mistake::new(
                section.place(second),
                "a feed has one source",
                format!("`{second}` beside `{first}`"),
            )
            .see(section.place(first), "the other one")
            .help("make it two feeds"),
        );
    } else if named.is_empty() {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "a feed without rows", "one of three is missing")
                .help("add `file = \"….csv\"`, `rows = [{ … }]`, or `columns = { … }` with `count = …`"),
        );
    }
    if section.has("count") && !section.has("columns") {
        let mistake =
            Mistake::new(section.place("count"), "`count` without `columns`", "nothing is made here");
        section.reading.note(mistake.help("it says how many rows are made of `columns`"));
    }
    let data = from_file(section, read).or_else(|| from_rows(section)).or_else(|| generated(section));
    let (columns, rows) = data.unwrap_or((Vec::new(), Rows::Given(Vec::new())));
    let feed = Feed { columns, rows, order: order(section) };
    if feed.order == Order::Unique && !feed.columns.is_empty() && feed.count() < u64::from(users) {
        let title = format!("{users} users, and {} rows of their own", feed.count());
        let mistake = Mistake::new(section.place("order"), title, "one row per user");
        section.reading.note(mistake.help("add rows, or let users share them: `order = \"sequential\"`"));
    }
    feed
}

fn order(section: &Section<'_>) -> Order {
    let Some(order) = section.text("order") else { return Order::Sequential };
    match order.value() {
        "sequential" => Order::Sequential,
        "random" => Order::Random,
        "unique" => Order::Unique,
        _ => {
            let title = "`order` must be `\"sequential\"`, `\"random\"` or `\"unique\"`";
            section.reading.note(Mistake::new(order.at, title, "this is none of them"));
            Order::Sequential
        }
    }
}

fn from_file(section: &Section<'_>, read: Read<'_>) -> Option<Data> {
    let file = section.text("file")?;
    let wrong = |label: String| {
        section.reading.note(
            Mistake::new(file.at.clone(), "`file` cannot be used", label)
                .help("a CSV file, relative to the scenario; its first line names the columns"),
        );
    };
    let text = read(Path::new(file.value())).map_err(|error| wrong(error.to_string())).ok()?;
    csv_rows(&text).map_err(wrong).ok()
}

/// Comma-separated values (RFC 4180) with a first line of names. The error says where in the file.
fn csv_rows(text: &str) -> Result<Data, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let columns: Vec<String> =
        reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    check_columns(&columns)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                format!("line {line} has {len} values for {expected_len} columns")
            }
            _ => error.to_string(),
        })?;
        if rows.len() >= ROWS_MAX as usize {
            return Err(format!("more than {ROWS_MAX} rows"));
        }
        rows.push(record.iter().map(str::to_owned).collect());
    }
    if rows.is_empty() { Err("no rows".to_owned()) } else { Ok((columns, Rows::Given(rows))) }
}

fn check_columns(columns: &[String]) -> Result<(), String> {
    if columns.is_empty() {
        return Err("no columns".to_owned());
    }
    for (index, column) in columns.iter().enumerate() {
        if column.is_empty() || column.contains(['{', '}', '(', ')']) || *column != column.trim() {
            return Err(format!("`{column}` cannot be the name of a column"));
        }
        if columns[..index].contains(column) {
            return Err(format!("two columns `{column}`"));
        }
    }
    Ok(())
}

fn from_rows(section: &Section<'_>) -> Option<Data> {
    let value = section.value("rows")?;
    let tables = match value.get_ref() {
        DeValue::Array(items) => {
            items.iter().map(|item| item.get_ref().as_table()).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    let Some(tables) = tables else {
        section.wrong_type("rows", value);
        return None;
    };
    let wrong = |label: String| {
        let mistake = Mistake::new(value.span(), "`rows` cannot be used", label);
        section.reading.note(mistake.help("for example `rows = [{ id = \"1\" }, { id = \"2\" }]`"));
    };
    let Some(first) = tables.first() else {
        wrong("no rows".to_owned());
        return None;
    };
    let columns: Vec<String> = first.keys().map(|name| name.get_ref().to_string()).collect();
    check_columns(&columns).map_err(&wrong).ok()?;
    let mut rows = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        if !table.keys().map(toml::Spanned::get_ref).eq(columns.iter()) {
            wrong(format!("row {} has other columns than the first", index + 1));
            return None;
        }
        let cells: Option<Vec<String>> = table.values().map(|value| cell(section, value)).collect();
        rows.push(cells?);
    }
    Some((columns, Rows::Given(rows)))
}

fn cell(section: &Section<'_>, value: &toml::Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => {
            let written = section.reading.interpolate(text, value.span(), Port::Refused)?;
            Some(written.value().to_owned())
        }
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            let mistake =
                Mistake::new(value.span(), "a cell must be a string or a number", "this is neither");
            section.reading.note(mistake);
            None
        }
    }
}

fn generated(section: &Section<'_>) -> Option<Data> {
    let names = Names::of_columns(section.reading);
    let mut columns = Vec::new();
    let mut templates: Vec<Template> = Vec::new();
    for (name, value) in section.entries("columns") {
        let mut writer = Writer::default();
        if let Some(text) = super::texts::string(section, name, value) {
            names.write(text, &value.span(), Place::RAW, &mut writer);
        }
        columns.push(name.get_ref().to_string());
        templates.push(writer.finish());
    }
    if !section.has("columns") {
        return None;
    }
    if let Err(wrong) = check_columns(&columns) {
        section.reading.note(Mistake::new(section.place("columns"), "`columns` cannot be used", wrong));
        return None;
    }
    if !section.has("count") {
        let mistake =
            Mistake::new(section.place("columns"), "`columns` without `count`", "how many rows of it?");
        section.reading.note_absence(mistake.help("for example `count = 1000`"));
        return None;
    }
    let rows = u64::from(section.count("count"));
    Some((columns, Rows::Generated { columns: templates, rows }))
}
