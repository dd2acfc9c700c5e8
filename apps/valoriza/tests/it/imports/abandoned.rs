use reqwest::StatusCode;
use serde_json::{Value, json};
use valoriza::db::Statement;

use super::sample;
use crate::support::{Server, id, on_both_databases, tick};

on_both_databases!(
    what_nobody_came_back_to_for_a_week_is_forgotten_with_its_file,
    what_somebody_came_back_to_or_imported_stays,
);

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// Lets time pass for every import there is.
async fn wait(server: &Server, ms: i64) {
    let mut tx = server.app.db.write().await.unwrap();
    tx.execute(Statement::new("UPDATE imports SET updated_at = updated_at - $1").bind(ms)).await.unwrap();
    tx.commit().await.unwrap();
}

fn tenant(session: &Value) -> uuid::Uuid {
    session["tenant"]["id"].as_str().unwrap().parse().unwrap()
}

async fn what_nobody_came_back_to_for_a_week_is_forgotten_with_its_file(server: Server) {
    let ana = server.user().await;
    for (name, bytes, status) in [
        ("bb.ofx", sample("bb.ofx"), "preview"),
        ("desconhecido.csv", sample("desconhecido.csv"), "needs_mapping"),
        ("vazio.ofx", b" ".to_vec(), "failed"),
    ] {
        let import = ana.read_file(&server, name, bytes).await;
        assert_eq!(import["status"], status);
        let (path, file) = (format!("/api/imports/{}", id(&import)), id(&import).parse().unwrap());
        wait(&server, WEEK_MS - 60_000).await;
        tick(&server.worker(), "abandoned-imports").await;
        ana.read(&path).await;
        server.app.files.get(tenant(&ana.session), file).await.unwrap();
        wait(&server, 60_000).await;
        tick(&server.worker(), "abandoned-imports").await;
        tick(&server.worker(), "abandoned-imports").await;
        ana.get(&path).await.expect_problem(404, "not_found");
        server.app.files.get(tenant(&ana.session), file).await.unwrap_err();
    }
}

async fn what_somebody_came_back_to_or_imported_stays(server: Server) {
    let ana = server.user().await;
    let (_, done) = ana.imported(&server, "bb.ofx").await;
    let preview = ana.read_file(&server, "itau.ofx", sample("itau.ofx")).await;
    let unread = ana.upload("inter.ofx", sample("inter.ofx")).await;
    wait(&server, WEEK_MS).await;
    ana.patch(&format!("/api/imports/{}", id(&preview)), json!({ "exclude": [0] }))
        .await
        .expect(StatusCode::OK);
    tick(&server.worker(), "abandoned-imports").await;
    for import in [done, preview, unread] {
        ana.read(&format!("/api/imports/{}", id(&import))).await;
    }
}
