use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use valoriza::db::Statement;
use valoriza::domain::member::Role;

use super::sample;
use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    a_file_that_cannot_be_read_says_why_and_touches_nothing,
    a_file_that_is_too_large_is_refused_at_the_door,
    imports_are_of_their_tenant_and_of_members,
    an_import_is_forgotten_with_its_file,
    an_event_that_fails_holds_up_no_other,
);

async fn a_file_that_cannot_be_read_says_why_and_touches_nothing(server: Server) {
    let ana = server.user().await;
    let cut = sample("itau.ofx");
    let cut = cut[..cut.len() / 2].to_vec();
    for (name, bytes, code, line) in [
        ("cut.ofx", cut, "truncated", json!(16)),
        ("nada.csv", Vec::new(), "empty_file", json!(null)),
        ("fatura.pdf", b"%PDF-1.7".to_vec(), "not_text", json!(null)),
        ("aspas.csv", b"date,title,amount\n2026-11-01,\"x,1\n".to_vec(), "truncated", json!(2)),
    ] {
        let import = ana.read_file(&server, name, bytes).await;
        assert_eq!((&import["status"], &import["error"]["code"]), (&json!("failed"), &json!(code)));
        assert_eq!((&import["error"]["line"], &import["statements"]), (&line, &json!([])), "{name}");
        let path = format!("/api/imports/{}", id(&import));
        ana.call(Method::POST, &format!("{path}/commit")).send().await.expect_problem(409, "import_state");
        ana.get(&format!("{path}/sample")).await.expect_problem(409, "import_state");
    }
    let import = ana.read_file(&server, "bomba.ofx", sample("bomba.ofx")).await;
    assert_eq!(ana.rows(&import, "").await[0]["description"], "&c;&d;");
}

async fn a_file_that_is_too_large_is_refused_at_the_door(server: Server) {
    let ana = server.user().await;
    let call = ana.call(Method::POST, "/api/imports").body(vec![b'a'; 10 * 1024 * 1024 + 1]);
    call.send().await.expect_problem(413, "file_too_large");
    assert_eq!(ana.read("/api/imports").await["items"], json!([]));
    let stored = std::fs::read_dir(server.folder.path().join("files")).unwrap().count();
    assert_eq!(stored, 0);
}

async fn imports_are_of_their_tenant_and_of_members(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    let (_, import) = ana.imported(&server, "itau.ofx").await;
    let path = format!("/api/imports/{}", id(&import));
    for path in [path.clone(), format!("{path}/rows"), format!("{path}/sample")] {
        bia.get(&path).await.expect_problem(404, "not_found");
    }
    for path in [format!("{path}/commit"), format!("{path}/undo")] {
        bia.call(Method::POST, &path).send().await.expect_problem(404, "not_found");
    }
    bia.delete(&path).await.expect_problem(404, "not_found");
    let theirs = ana.account().await;
    let upload = format!("/api/imports?account_id={theirs}");
    let reply = bia.call(Method::POST, &upload).body("x").send().await;
    reply.expect_invalid(&[("account_id", "unknown_reference")]);

    let viewer = ana.with_role(Role::Viewer);
    assert_eq!(viewer.get(&path).await.status, StatusCode::OK);
    viewer.call(Method::POST, "/api/imports").body("x").send().await.expect_problem(403, "forbidden");
    viewer.call(Method::POST, &format!("{path}/undo")).send().await.expect_problem(403, "forbidden");
    viewer.delete(&path).await.expect_problem(403, "forbidden");
}

async fn an_import_is_forgotten_with_its_file(server: Server) {
    let ana = server.user().await;
    let tenant = ana.session["tenant"]["id"].as_str().unwrap();
    let folder = server.folder.path().join(format!("files/tenants/{tenant}/imports"));
    let import = ana.read_file(&server, "bb.ofx", sample("bb.ofx")).await;
    assert!(folder.join(id(&import)).exists());
    let path = format!("/api/imports/{}", id(&import));
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.get(&path).await.expect_problem(404, "not_found");
    assert!(!folder.join(id(&import)).exists());
    let (_, done) = ana.imported(&server, "itau.ofx").await;
    let path = format!("/api/imports/{}", id(&done));
    ana.delete(&path).await.expect_problem(409, "import_state");
    // Forgotten before the worker came to it: its event asks for nothing.
    let import = ana.upload("bb.ofx", sample("bb.ofx")).await;
    ana.delete(&format!("/api/imports/{}", id(&import))).await.expect(StatusCode::NO_CONTENT);
    server.work().await;
}

async fn an_event_that_fails_holds_up_no_other(server: Server) {
    let ana = server.user().await;
    let tenant: Uuid = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let nonsense = Statement::new(
        "INSERT INTO outbox (id, tenant_id, topic, payload, trace_id, created_at)
         VALUES ($1, $2, 'import.uploaded', '{}', '', 0)",
    );
    let mut tx = server.app.db.write().await.unwrap();
    tx.execute(nonsense.bind(Uuid::now_v7()).bind(tenant)).await.unwrap();
    tx.commit().await.unwrap();
    let import = ana.upload("itau.ofx", sample("itau.ofx")).await;
    let worker = server.worker();
    let first = worker.pass(&CancellationToken::new()).await.unwrap();
    assert_eq!((first.failed, ana.import(&id(&import)).await["status"].as_str()), (1, Some("preview")));
    let second = worker.pass(&CancellationToken::new()).await.unwrap();
    assert_eq!((second.handled, second.failed), (0, 1), "it stays, and only it");
}
