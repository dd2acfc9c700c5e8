use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use uuid::Uuid;
use valoriza::domain::page::{Cursor, DateAndId, Slice};
use valoriza::domain::transaction::{Filter, Kind, Transaction};
use valoriza::queries;

use crate::support::{Server, User, id, on_both_databases};

on_both_databases!(
    pages_lose_and_repeat_nothing,
    pages_lose_and_repeat_nothing_while_others_write,
    lists_of_things_are_paged_too,
    a_cursor_that_was_tampered_with_is_refused_or_is_a_place,
);

/// Inserts one transaction on each of `days` after 2026-01-01 and returns the account.
async fn insert(server: &Server, user: &User<'_>, days: &[i64]) -> Uuid {
    let account: Uuid = user.account().await.parse().unwrap();
    let tenant = user.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let now = jiff::Timestamp::now();
    let rows: Vec<_> = days
        .iter()
        .map(|day| Transaction {
            id: Uuid::now_v7(),
            account_id: account,
            date: date(2026, 1, 1).saturating_add(day.days()),
            description: "PIX".to_owned(),
            notes: None,
            amount_cents: -1,
            currency: valoriza::domain::money::Currency::Brl,
            category_id: None,
            kind: Kind::Normal,
            transfer_id: None,
            transfer_account_id: None,
            splits: Vec::new(),
            tags: Vec::new(),
            categorised: None,
            suggestion: None,
            import_id: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
        .collect();
    let mut tx = server.app.db.write().await.unwrap();
    valoriza::store::transactions::insert(&mut tx, tenant, &rows).await.unwrap();
    tx.commit().await.unwrap();
    account
}

/// Whatever the dates and the size of a page, reading page by page gives the list, newest first.
async fn pages_lose_and_repeat_nothing(server: Server) {
    let ana = server.user().await;
    let tenant: Uuid = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let cases = (prop::collection::vec(0i64..8, 1..40), 1usize..12);
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    for _ in 0..runner.config().cases {
        let (days, limit) = cases.new_tree(&mut runner).unwrap().current();
        let filter = Filter { account_id: Some(insert(&server, &ana, &days).await), ..Filter::default() };
        let mut seen: Vec<DateAndId> = Vec::new();
        let mut after = None;
        loop {
            let slice = Slice { limit, after };
            let page = queries::transactions(&server.app.db, tenant, &filter, slice).await.unwrap();
            seen.extend(page.items.iter().map(Transaction::place));
            let Some(cursor) = page.next_cursor else { break };
            assert_eq!(page.items.len(), limit);
            after = Some(DateAndId::decode(&cursor).unwrap());
        }
        assert_eq!(seen.len(), days.len(), "{days:?} by {limit}");
        assert!(seen.windows(2).all(|two| (two[0].date, two[0].id) > (two[1].date, two[1].id)));
    }
}

async fn read_page(user: &User<'_>, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let cursor = cursor.map(|it| format!("&cursor={it}")).unwrap_or_default();
    let page = user.read(&format!("/api/transactions?limit=3{cursor}")).await;
    let ids = page["items"].as_array().unwrap().iter().map(id).collect();
    (ids, page["next_cursor"].as_str().map(str::to_owned))
}

async fn pages_lose_and_repeat_nothing_while_others_write(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let mut expected = Vec::new();
    for day in 10..20 {
        expected.insert(0, id(&ana.transaction(&account, &format!("2026-11-{day}"), -1, None).await));
    }
    let (mut seen, mut cursor) = read_page(&ana, None).await;
    while let Some(at) = cursor {
        // One newer than everything read, and the one the cursor stands on deleted.
        ana.transaction(&account, "2026-11-30", -1, None).await;
        ana.delete(&format!("/api/transactions/{}", seen.last().unwrap())).await;
        let (ids, next) = read_page(&ana, Some(&at)).await;
        seen.extend(ids);
        cursor = next;
    }
    assert_eq!(seen, expected);
}

async fn lists_of_things_are_paged_too(server: Server) {
    let ana = server.user().await;
    let all = ana.read("/api/categories").await;
    let all: Vec<_> = all["items"].as_array().unwrap().iter().map(id).collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ana.read(&format!("/api/categories?limit=7&cursor={cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(id));
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor.clone_from(next);
    }
    assert_eq!(seen, all);
}

async fn a_cursor_that_was_tampered_with_is_refused_or_is_a_place(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    insert(&server, &ana, &[1, 2, 3, 4]).await;
    let (_, cursor) = read_page(&ana, None).await;
    let cursor = cursor.unwrap();
    for position in 0..cursor.len() {
        let mut altered = cursor.clone();
        altered
            .replace_range(position..=position, if &cursor[position..=position] == "A" { "_" } else { "A" });
        let status = ana.get(&format!("/api/transactions?cursor={altered}")).await.status.as_u16();
        assert!(matches!(status, 200 | 400), "{altered}: {status}");
    }
    for wrong in ["x", "%00", "ZDIwMjY", &cursor[1..]] {
        ana.get(&format!("/api/transactions?cursor={wrong}")).await.expect_problem(400, "bad_cursor");
    }
    ana.get(&format!("/api/accounts?cursor={cursor}")).await.expect_problem(400, "bad_cursor");
    // Another tenant's cursor shows nothing of theirs.
    assert!(read_page(&bia, Some(&cursor)).await.0.is_empty());
}
