use reqwest::StatusCode;
use serde_json::{Value, json};

use super::sample;
use crate::support::{Server, id, on_both_databases};

on_both_databases!(an_unknown_table_is_explained_once, a_mapping_is_checked_field_by_field);

fn mapping() -> Value {
    json!({
        "delimiter": "\t", "header_rows": 2, "date_column": 0, "description_column": 1, "credit_column": 2,
        "debit_column": 3, "date_format": "yyyy-mm-dd", "decimal": "comma", "negate": false,
    })
}

async fn an_unknown_table_is_explained_once(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let import = ana.read_file(&server, "coop.csv", sample("desconhecido.csv")).await;
    assert_eq!((&import["status"], &import["format"]), (&json!("needs_mapping"), &json!(null)));
    let shown = ana.read(&format!("/api/imports/{}/sample", id(&import))).await;
    assert_eq!(shown["columns"], json!(["Dia", "O que foi", "Entrou", "Saiu"]));
    assert_eq!((&shown["delimiter"], shown["rows"].as_array().unwrap().len()), (&json!("\t"), 4));
    let change = json!({ "mapping": mapping(), "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, change).await;
    assert_eq!((&import["status"], &import["profile"]), (&json!("preview"), &json!("mapped")));
    ana.order(&server, &import, "commit").await;
    assert_eq!(ana.balance(&account).await, 550);

    let next = ana.read_file(&server, "coop.csv", sample("desconhecido.csv")).await;
    assert_eq!((&next["status"], &next["profile"]), (&json!("preview"), &json!("mapped")));
    assert_eq!(next["statements"][0]["account_id"], json!(account));
    assert_eq!(next["statements"][0]["duplicate"], 2);
    // Another mapping reads it anew.
    let mut other = mapping();
    other["negate"] = json!(true);
    let next = ana.change(&server, &next, json!({ "mapping": other })).await;
    assert_eq!((&next["statements"][0]["new"], &next["rows_total"]), (&json!(2), &json!(2)));
}

async fn a_mapping_is_checked_field_by_field(server: Server) {
    let ana = server.user().await;
    let import = ana.read_file(&server, "coop.csv", sample("desconhecido.csv")).await;
    let path = format!("/api/imports/{}", id(&import));
    let change = json!({
        "mapping": { "delimiter": "x", "header_rows": 2, "date_column": 500, "description_column": 1,
            "debit_column": 2, "date_format": "ontem", "decimal": "comma" },
        "exclude": [1], "statements": [{ "index": 1 }],
    });
    ana.patch(&path, change).await.expect_invalid(&[
        ("mapping.delimiter", "invalid"),
        ("mapping.credit_column", "required"),
        ("mapping.date_format", "invalid"),
        ("mapping.date_column", "out_of_range"),
        ("exclude", "too_early"),
    ]);
    let foreign = server.user().await.account().await;
    let change = json!({ "statements": [{ "index": 1 }, { "index": 0, "account_id": foreign }] });
    ana.patch(&path, change).await.expect_invalid(&[
        ("statements.0.index", "unknown_statement"),
        ("statements.1.account_id", "unknown_reference"),
    ]);
    let dollars = json!({ "name": "Dólares", "kind": "cash", "currency": "USD" });
    let dollars = id(&ana.create("/api/accounts", dollars).await);
    let import = ana.read_file(&server, "itau.csv", sample("itau.csv")).await;
    let change = json!({ "statements": [{ "index": 0, "account_id": dollars }] });
    let reply = ana.patch(&format!("/api/imports/{}", id(&import)), change).await;
    reply.expect_invalid(&[("statements.0.account_id", "currencies_differ")]);
    let kept = ana.patch(&path, json!({})).await;
    assert_eq!(kept.expect(StatusCode::OK)["status"], "needs_mapping");
}
