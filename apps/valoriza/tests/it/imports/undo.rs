use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{counts, sample};
use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    undoing_restores_balances_and_rows_exactly,
    what_was_edited_since_stays_and_is_told,
    undoing_takes_back_what_the_import_made_others_tell,
    a_large_file_goes_in_and_out_in_steps,
);

async fn undoing_restores_balances_and_rows_exactly(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    ana.transaction(&account, "2026-11-05", 1_234, None).await;
    let (ledger, balance) = (ana.ledger(&account).await, ana.balance(&account).await);
    let import = ana.read_file(&server, "bb.ofx", sample("bb.ofx")).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    let import = ana.order(&server, &import, "commit").await;
    assert_ne!(ana.balance(&account).await, balance);
    let undone = ana.order(&server, &import, "undo").await;
    assert_eq!(
        (&undone["status"], &undone["rows_done"], &undone["warnings"]),
        (&json!("undone"), &json!(0), &json!([]))
    );
    assert_eq!((ana.ledger(&account).await, ana.balance(&account).await), (ledger, balance));
    assert!(ana.rows(&undone, "").await.iter().all(|it| it["transaction_id"].is_null()));
    // It may come again, and be forgotten.
    let again = ana.read_file(&server, "bb.ofx", sample("bb.ofx")).await;
    assert_eq!(counts(&again), counts(&import));
    ana.delete(&format!("/api/imports/{}", id(&undone))).await.expect(StatusCode::NO_CONTENT);
}

async fn what_was_edited_since_stays_and_is_told(server: Server) {
    let ana = server.user().await;
    let other = ana.account().await;
    let (account, import) = ana.imported(&server, "bb.ofx").await;
    let category = ana.category("Barco", "expense", None).await;
    let list = ana.read(&format!("/api/transactions?account_id={account}")).await;
    let of =
        |cents: i64| list["items"].as_array().unwrap().iter().find(|it| it["amount_cents"] == cents).unwrap();
    let change = async |cents: i64, change| {
        let path = format!("/api/transactions/{}", id(of(cents)));
        ana.patch(&path, change).await.expect(StatusCode::OK);
    };
    change(-12_000, json!({ "notes": "presente" })).await;
    change(-8_999, json!({ "account_id": other })).await;
    // A category is no edit, and what is deleted already is no loss.
    change(-3_250, json!({ "category_id": category })).await;
    ana.delete(&format!("/api/transactions/{}", id(of(350_000)))).await.expect(StatusCode::NO_CONTENT);
    let undone = ana.order(&server, &import, "undo").await;
    let expected = "2 transações foram editadas depois de importadas e ficaram.";
    assert_eq!((&undone["status"], &undone["warnings"]), (&json!("undone"), &json!([expected])));
    assert_eq!(undone["rows_done"], 2);
    assert_eq!((ana.balance(&account).await, ana.balance(&other).await), (-12_000, -8_999));
    // They keep their names: the file does not bring them again.
    let again = ana.read_file(&server, "bb.ofx", sample("bb.ofx")).await;
    assert_eq!(counts(&again), (4, 2, 1));
    ana.delete(&format!("/api/imports/{}", id(&undone))).await.expect(StatusCode::NO_CONTENT);
    let kept = ana.read(&format!("/api/transactions?account_id={other}")).await;
    assert_eq!(kept["items"][0]["import_id"], json!(null));
}

async fn undoing_takes_back_what_the_import_made_others_tell(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let other = ana.category("Vela", "expense", None).await;
    for (category, word) in [(&category, "marina"), (&other, "vela")] {
        let budget = json!({ "category_id": category, "month": "2026-11", "amount_cents": 10_000 });
        ana.create("/api/budgets", budget).await;
        let then = json!({ "category_id": category, "tags": ["mar"], "notify": true });
        ana.create("/api/automations", json!({ "name": word, "when": { "text": word }, "then": then })).await;
    }
    ana.described(&account, "2026-11-02", "VELA NOVA", -9_000).await;
    ana.described(&account, "2026-11-02", "MARINA", -8_000).await;
    server.work().await;
    let told = async || -> Vec<String> {
        let page = ana.read("/api/notifications").await;
        let title = |it: &Value| it["title"].as_str().unwrap().to_owned();
        let mut titles: Vec<_> = page["items"].as_array().unwrap().iter().map(title).collect();
        titles.sort();
        titles
    };
    let before = told().await;
    assert_eq!(before, ["80% do orçamento de Barco", "80% do orçamento de Vela", "marina", "vela"]);
    let rows = "05/11/2026;MARINA DO SUL;-70,00\n06/11/2026;MARINA DO NORTE;-30,00\n";
    // Taken back, it can be told again.
    for _ in 0..2 {
        let import = ana.read_file(&server, "itau.txt", rows.into()).await;
        let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
        let import = ana.change(&server, &import, choice).await;
        ana.order(&server, &import, "commit").await;
        let expected =
            ["80% do orçamento de Barco", "80% do orçamento de Vela", "Orçamento de Barco estourado"];
        assert_eq!(told().await, [&expected[..], &["marina", "marina", "vela"]].concat());
        ana.order(&server, &import, "undo").await;
        assert_eq!(told().await, before);
    }
}

async fn a_large_file_goes_in_and_out_in_steps(server: Server) {
    const ROWS: i64 = 1_700; // more than three steps
    let ana = server.user().await;
    let account = ana.account().await;
    let rows: Vec<_> =
        (1..=ROWS).map(|n| format!("{:02}/11/2026;Compra {};-0,01\n", n % 28 + 1, n % 7)).collect();
    let rows = rows.concat();
    let import = ana.read_file(&server, "itau.txt", rows.clone().into_bytes()).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    let import = ana.order(&server, &import, "commit").await;
    assert_eq!((&import["rows_done"], ana.balance(&account).await), (&json!(ROWS), -ROWS));
    let again = ana.read_file(&server, "itau.txt", rows.into_bytes()).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let again = ana.change(&server, &again, choice).await;
    assert_eq!(counts(&again), (0, ROWS.unsigned_abs(), 0));
    ana.order(&server, &import, "undo").await;
    assert_eq!((ana.balance(&account).await, ana.ledger(&account).await.len()), (0, 0));
}
