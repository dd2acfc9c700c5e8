use serde_json::json;

use super::{counts, sample};
use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    a_file_imported_again_brings_nothing,
    an_overlapping_file_brings_only_what_is_new,
    two_previews_of_one_file_import_it_once,
    what_was_entered_by_hand_is_suggested_and_not_lost,
    another_format_of_the_same_statement_is_recognised,
    a_duplicate_its_user_wants_is_imported,
);

/// The file of an account with so many equal rows.
fn coffees(count: usize) -> Vec<u8> {
    let rows = "05/11/2026;Café;;-7,50;\n".repeat(count);
    format!("Conta;777\n\nData Lançamento;Histórico;Descrição;Valor;Saldo\n{rows}").into_bytes()
}

async fn a_file_imported_again_brings_nothing(server: Server) {
    let ana = server.user().await;
    for name in ["bb.ofx", "nubank_cartao.csv", "bradesco.csv", "inter.ofx"] {
        let (account, first) = ana.imported(&server, name).await;
        let (ledger, balance) = (ana.ledger(&account).await, ana.balance(&account).await);
        let again = ana.read_file(&server, name, sample(name)).await;
        let (new, _, invalid) = counts(&first);
        assert_eq!(counts(&again), (0, new, invalid), "{name}");
        let rows = ana.rows(&again, "status=duplicate").await;
        assert!(rows.iter().all(|it| it["reason"] == "já importado" && it["transaction_id"].is_string()));
        ana.order(&server, &again, "commit").await;
        assert_eq!((ana.ledger(&account).await, ana.balance(&account).await), (ledger, balance), "{name}");
    }
}

async fn an_overlapping_file_brings_only_what_is_new(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let import = ana.read_file(&server, "a.csv", coffees(1)).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    ana.order(&server, &import, "commit").await;
    let more = ana.read_file(&server, "b.csv", coffees(3)).await;
    assert_eq!(counts(&more), (2, 1, 0), "two coffees more on the same day are two more");
    ana.order(&server, &more, "commit").await;
    let less = ana.read_file(&server, "c.csv", coffees(2)).await;
    assert_eq!(counts(&less), (0, 2, 0));
    assert_eq!(ana.balance(&account).await, -2_250);
}

async fn two_previews_of_one_file_import_it_once(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let mut previews = Vec::new();
    for _ in 0..2 {
        let import = ana.read_file(&server, "itau.ofx", sample("itau.ofx")).await;
        previews.push(ana.change(&server, &import, choice.clone()).await);
    }
    for import in &previews {
        assert_eq!(counts(import), (3, 0, 0));
        ana.order(&server, import, "commit").await;
    }
    assert_eq!(ana.balance(&account).await, 12_190);
    let rows = ana.rows(&previews[1], "status=duplicate").await;
    assert_eq!(rows.len(), 3, "the second one tells that they were there");
    assert!(rows.iter().all(|it| it["include"] == false && it["reason"] == "já importado"));
}

async fn what_was_entered_by_hand_is_suggested_and_not_lost(server: Server) {
    let ana = server.user().await;
    let (account, savings) = (ana.account().await, ana.account().await);
    // The day before, in two parts: only the whole is compared.
    let split = json!({
        "account_id": account, "date": "2026-11-02", "description": "Farmácia", "amount_cents": -5_820,
        "splits": [{ "amount_cents": -1_990 }, { "amount_cents": -3_830 }],
    });
    let split = ana.create("/api/transactions", split).await;
    let transfer = json!({
        "kind": "transfer", "account_id": savings, "transfer_account_id": account, "date": "2026-11-05",
        "description": "Para a conta", "amount_cents": 20_000,
    });
    ana.create("/api/transactions", transfer).await;
    let import = ana.read_file(&server, "itau.ofx", sample("itau.ofx")).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    assert_eq!(counts(&import), (1, 2, 0), "the part of -19,90 is not the payment of -19,90");
    let rows = ana.rows(&import, "").await;
    assert_eq!((&rows[0]["status"], &rows[0]["transaction_id"]), (&json!("duplicate"), &split["id"]));
    assert_eq!(rows[0]["reason"], "parece uma transação já lançada");
    // Its user knows better about one of them.
    let import = ana.change(&server, &import, json!({ "include": [1] })).await;
    ana.order(&server, &import, "commit").await;
    assert_eq!(ana.balance(&account).await, -5_820 + 20_000 + 20_000 - 1_990);
}

async fn another_format_of_the_same_statement_is_recognised(server: Server) {
    let ana = server.user().await;
    let (account, _) = ana.imported(&server, "itau.ofx").await;
    for name in ["itau.csv", "itau.txt"] {
        let import = ana.read_file(&server, name, sample(name)).await;
        let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
        let import = ana.change(&server, &import, choice).await;
        let (new, duplicate, _) = counts(&import);
        assert_eq!(new + duplicate, 3);
        assert!(duplicate >= 2, "{name}: {import}");
    }
}

async fn a_duplicate_its_user_wants_is_imported(server: Server) {
    let ana = server.user().await;
    let (account, _) = ana.imported(&server, "itau.ofx").await;
    let balance = ana.balance(&account).await;
    let again = ana.read_file(&server, "itau.ofx", sample("itau.ofx")).await;
    let again = ana.change(&server, &again, json!({ "include": [2] })).await;
    let again = ana.order(&server, &again, "commit").await;
    assert_eq!(ana.balance(&account).await, balance - 1_990);
    ana.order(&server, &again, "undo").await;
    assert_eq!(ana.balance(&account).await, balance);
    assert_eq!(ana.import(&id(&again)).await["status"], "undone");
}
