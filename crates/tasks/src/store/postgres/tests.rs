use std::sync::Arc;

use super::*;
use crate::store::contract::{Fresh, contract_suite};

async fn fresh(options: Options) -> Fresh {
    let url = servers::Postgres::shared().fresh_database();
    let store = Postgres::open(&url, options).await.expect("an empty database");
    Fresh { store: Arc::new(store), keep: Box::new(()) }
}

contract_suite!(fresh, 16);
