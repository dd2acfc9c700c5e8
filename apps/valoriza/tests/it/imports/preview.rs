use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use valoriza::db::Statement;

use super::{counts, sample};
use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    a_statement_is_previewed_and_imported,
    nothing_counts_before_it_is_confirmed,
    several_accounts_of_one_file_go_to_their_own,
    the_next_file_finds_its_account_by_itself,
    rows_are_left_out_and_taken_in,
    choices_of_rows_survive_another_account_where_a_row_means_the_same,
    a_preview_says_which_category_each_row_would_get_and_why,
    a_gap_before_the_statement_is_told,
);

async fn a_statement_is_previewed_and_imported(server: Server) {
    let ana = server.user().await;
    let (account, import) = ana.imported(&server, "bb.ofx").await;
    assert_eq!((&import["format"], &import["profile"]), (&json!("ofx"), &json!("ofx")));
    assert_eq!(
        (counts(&import), &import["rows_total"], &import["rows_done"]),
        ((6, 0, 1), &json!(7), &json!(6))
    );
    let statement = &import["statements"][0];
    assert_eq!(
        (&statement["label"], &statement["from"]),
        (&json!("Banco do Brasil •••65x"), &json!("2026-11-01"))
    );
    assert_eq!(ana.balance(&account).await, 416_571 - 100_000);
    let ledger = ana.ledger(&account).await;
    assert_eq!(ledger.len(), 6, "three rows of one FITID are three transactions");
    let list = ana.read(&format!("/api/transactions?account_id={account}&q=pao")).await;
    let pao = &list["items"][0];
    assert_eq!((&pao["import_id"], &pao["kind"]), (&import["id"], &json!("normal")));
    let rows = ana.rows(&import, "status=invalid").await;
    assert_eq!((&rows[0]["reason"], &rows[0]["include"]), (&json!("o valor é zero"), &json!(false)));
    let page = ana.read(&format!("/api/imports/{}/rows?limit=3", id(&import))).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = ana.rows(&import, &format!("cursor={cursor}")).await;
    assert_eq!((page["items"].as_array().unwrap().len(), rest.len(), &rest[0]["index"]), (3, 4, &json!(3)));
    let imports = ana.read("/api/imports").await;
    assert_eq!(imports["items"], json!([import]));
    // One event says that it is done.
    let events = Statement::new("SELECT COUNT(*) AS n FROM outbox WHERE topic = 'import.committed'");
    let events: i64 = server.app.db.snapshot().await.unwrap().one(events).await.unwrap();
    assert_eq!(events, 1);
}

async fn nothing_counts_before_it_is_confirmed(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let path = format!("/api/imports?filename=itau.ofx&account_id={account}");
    let import = ana.call(Method::POST, &path).body(sample("itau.ofx")).send().await;
    let import = import.expect(StatusCode::ACCEPTED);
    server.work().await;
    let import = ana.import(&id(&import)).await;
    assert_eq!(
        (&import["status"], &import["statements"][0]["account_id"]),
        (&json!("preview"), &json!(account))
    );
    assert_eq!((ana.balance(&account).await, ana.ledger(&account).await.len()), (0, 0));
    let summary = ana.read("/api/summary?month=2026-11").await;
    assert_eq!(summary["income_cents"], 0);
    // Asking twice imports once.
    let done = ana.order(&server, &import, "commit").await;
    let again = ana.order(&server, &import, "commit").await;
    assert_eq!((&done["status"], &again["status"]), (&json!("done"), &json!("done")));
    assert_eq!(ana.balance(&account).await, 12_190);
}

async fn several_accounts_of_one_file_go_to_their_own(server: Server) {
    let ana = server.user().await;
    let (first, second) = (ana.account().await, ana.account().await);
    let import = ana.read_file(&server, "varias_contas.ofx", sample("varias_contas.ofx")).await;
    assert_eq!(import["statements"].as_array().unwrap().len(), 3);
    let choice = json!({ "statements": [
        { "index": 0, "account_id": first }, { "index": 1, "account_id": second },
    ] });
    let import = ana.change(&server, &import, choice).await;
    let path = format!("/api/imports/{}/commit", id(&import));
    ana.call(Method::POST, &path).send().await.expect_invalid(&[("statements.2.account_id", "required")]);
    // What has no account is left out, or gets one.
    let left_out =
        ana.rows(&import, "").await.iter().find(|it| it["statement"] == 2).unwrap()["index"].clone();
    let import = ana.change(&server, &import, json!({ "exclude": [left_out] })).await;
    ana.order(&server, &import, "commit").await;
    assert_eq!((ana.balance(&first).await, ana.balance(&second).await), (48_000, 1_000));
}

async fn the_next_file_finds_its_account_by_itself(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    for name in ["itau.ofx", "inter.csv", "nubank_cartao.csv"] {
        let (account, _) = ana.imported(&server, name).await;
        let import = ana.read_file(&server, name, sample(name)).await;
        assert_eq!(import["statements"][0]["account_id"], json!(account), "{name}");
        let theirs = bia.read_file(&server, name, sample(name)).await;
        assert_eq!(theirs["statements"][0]["account_id"], json!(null), "{name}");
    }
}

async fn rows_are_left_out_and_taken_in(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let import = ana.read_file(&server, "bb.ofx", sample("bb.ofx")).await;
    let path = format!("/api/imports/{}", id(&import));
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    let stale = ana.call(Method::PATCH, &path).header("if-match", "\"1\"").json(&json!({})).send().await;
    stale.expect_problem(412, "version_mismatch");
    let import = ana.change(&server, &import, json!({ "exclude": [0, 1] })).await;
    let import = ana.change(&server, &import, json!({ "include": [1] })).await;
    ana.patch(&path, json!({ "include": [6] })).await.expect_invalid(&[("include", "unknown_row")]);
    ana.patch(&path, json!({ "exclude": [99] })).await.expect_invalid(&[("exclude", "unknown_row")]);
    ana.order(&server, &import, "commit").await;
    assert_eq!(ana.ledger(&account).await.len(), 5);
    ana.patch(&path, json!({ "exclude": [2] })).await.expect_problem(409, "import_state");
}

async fn choices_of_rows_survive_another_account_where_a_row_means_the_same(server: Server) {
    let ana = server.user().await;
    let (first, second) = (ana.account().await, ana.account().await);
    // Looks like row 1 of the file, in the first account.
    ana.transaction(&first, "2026-11-06", -900, None).await;
    let rows = "05/11/2026;PADARIA;-7,50\n06/11/2026;PEDAGIO;-9,00\n07/11/2026;FARMACIA;-20,00\n";
    let import = ana.read_file(&server, "itau.txt", rows.into()).await;
    let included = async |import: &Value| -> Vec<bool> {
        ana.rows(import, "").await.iter().map(|it| it["include"].as_bool().unwrap()).collect()
    };
    let choose = async |import: &Value, account: &str| {
        ana.change(&server, import, json!({ "statements": [{ "index": 0, "account_id": account }] })).await
    };
    let import = ana.change(&server, &import, json!({ "exclude": [0] })).await;
    let import = choose(&import, &first).await;
    assert_eq!(included(&import).await, [false, false, true], "row 1 looks like a duplicate");
    let import = ana.change(&server, &import, json!({ "include": [1] })).await;
    let import = choose(&import, &second).await;
    assert_eq!(included(&import).await, [false, true, true]);
    let import = choose(&import, &first).await;
    assert_eq!(included(&import).await, [false, false, true], "it was taken in for what it was then");
    let import = ana.change(&server, &import, json!({ "include": [0] })).await;
    let import = ana.order(&server, &import, "commit").await;
    assert_eq!(
        (&import["rows_total"], &import["rows_included"], &import["rows_done"]),
        (&json!(3), &json!(2), &json!(2))
    );
}

async fn a_preview_says_which_category_each_row_would_get_and_why(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let mine = ana.category("Lanches", "expense", None).await;
    let passing = ana.category("Passageira", "expense", None).await;
    let rule = |word: &str, category: &str| json!({ "name": word, "when": { "text": word, "account_id": account }, "then": { "category_id": category } });
    ana.create("/api/automations", rule("lanchonete", &mine)).await;
    let gone = ana.create("/api/automations", rule("pedagio", &passing)).await;
    let rows = "05/11/2026;LANCHONETE DA ANA;-7,50\n05/11/2026;PEDAGIO;-9,00\n06/11/2026;DROGARIA DA ESQUINA;-20,00\n";
    let import = ana.read_file(&server, "itau.txt", rows.into()).await;
    let of = |rows: &[Value], at: usize| rows[at]["suggestion"].clone();
    let before = ana.rows(&import, "").await;
    assert_ne!(of(&before, 0)["source"], "rule", "an automation for an account waits for the account");
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    ana.delete(&format!("/api/automations/{}", id(&gone))).await.expect(StatusCode::NO_CONTENT);
    ana.delete(&format!("/api/categories/{passing}")).await.expect(StatusCode::NO_CONTENT);
    let rows = ana.rows(&import, "").await;
    let expected = json!({ "category_id": mine, "confidence": 1.0, "source": "rule", "reason": "Pela sua automação “lanchonete”" });
    assert_eq!(of(&rows, 0), expected);
    assert_eq!(of(&rows, 1), json!(null), "the category is not there any more");
    assert_eq!(
        (&of(&rows, 2)["source"], &of(&rows, 2)["reason"]),
        (&json!("lexicon"), &json!("“DROGARIA” costuma ser Farmácia"))
    );
    // What the preview said is what comes.
    ana.order(&server, &import, "commit").await;
    let list = ana.read(&format!("/api/transactions?account_id={account}&q=drogaria")).await;
    assert_eq!(list["items"][0]["category_id"], of(&rows, 2)["category_id"]);
}

async fn a_gap_before_the_statement_is_told(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    ana.transaction(&account, "2026-10-01", 40_000, None).await;
    let import = ana.read_file(&server, "itau.csv", sample("itau.csv")).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    let expected =
        "Antes de 03/11/2026 a conta tem R$ 400,00 e o extrato começa com R$ 500,00: pode faltar um período.";
    assert_eq!(import["statements"][0]["warnings"], json!([expected]));
    ana.transaction(&account, "2026-10-02", 10_000, None).await;
    let import =
        ana.change(&server, &import, json!({ "statements": [{ "index": 0, "account_id": null }] })).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    let import = ana.change(&server, &import, choice).await;
    assert_eq!(import["statements"][0]["warnings"], json!([]));
}
