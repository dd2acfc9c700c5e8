//! Invented data that looks like Brazilian bank statements: for demonstrations and load tests.
//!
//! Names, dates and amounts follow from the seed and the day; ids and password salts do not.

mod budgets;
mod generate;
mod settle;
mod statement;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::actions::{self, Conflict, Error};
use crate::auth::Passwords;
use crate::clock;
use crate::config::Config;
use crate::db::{Db, Tx};
use crate::domain::budget::Budget;
use crate::domain::calendar::{Month, today};
use crate::domain::member::{Caller, Registration, Role};
use crate::domain::transaction::{Kind, Transaction};
use crate::store;

use generate::Size;

pub const PASSWORD: &str = "demo-valoriza";
pub const DEMO_EMAIL: &str = "demo@valoriza.local";

/// About 18 months of a family that pays everything by card and Pix.
const DEMO: Size = Size { known: 1_300, waiting: 0 };
const DEMO_SEED: u64 = 2026;

/// Rows of one INSERT, with 22 values each. Not more: SQLite finds the name of a `$n` by walking a list, so the
/// cost of a statement grows with the square of its values (at 500 rows it was most of the time).
const BATCH: usize = 50;

#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub demo: bool,
    pub users: u32,
    /// Of all users together.
    pub transactions: u32,
    /// Beyond those, of all users together: none has a category, and each asks the worker for one.
    pub waiting: u32,
    pub seed: u64,
}

/// Makes what is wanted and says what it made.
pub async fn run(config: &Config, wanted: &Wanted) -> anyhow::Result<Vec<String>> {
    let db = Db::connect(&config.database_url).await.context("open the database")?;
    // One hash for all: hashing each would take longer than everything else.
    let hash = Passwords::new(config.password_cost)?.hash(PASSWORD.to_owned()).await?;
    let seeder = Seeder { db, hash, now: clock::now() };
    let mut said = Vec::new();
    if wanted.demo {
        said.extend(seeder.demo().await?);
    }
    if wanted.users > 0 {
        said.push(seeder.users(wanted).await?);
    }
    seeder.db.close().await;
    if said.is_empty() {
        said.push("nothing to make: give --demo or --users".to_owned());
    }
    Ok(said)
}

struct Seeder {
    db: Db,
    hash: String,
    now: Timestamp,
}

impl Seeder {
    async fn demo(&self) -> anyhow::Result<Vec<String>> {
        let registration = registration("Ana Demonstração", DEMO_EMAIL, "Família Demonstração");
        let made = self.user(&registration, DEMO, DEMO_SEED).await?;
        let what = if made { "made" } else { "was there already" };
        Ok(vec![format!("{} {what}", registration.tenant_name), format!("login {DEMO_EMAIL} / {PASSWORD}")])
    }

    async fn users(&self, wanted: &Wanted) -> anyhow::Result<String> {
        let share = |of: u32, number: u32| of / wanted.users + u32::from(number < of % wanted.users);
        let (mut made, mut transactions) = (0, 0);
        for number in 0..wanted.users {
            let (known, waiting) = (share(wanted.transactions, number), share(wanted.waiting, number));
            let size = Size { known: known as usize, waiting: waiting as usize };
            let mut rng =
                fastrand::Rng::with_seed(wanted.seed.wrapping_mul(1_000_003).wrapping_add(number.into()));
            let name = statement::person(&mut rng);
            let email = format!("user-{number}@valoriza.local");
            let registration = registration(&name, &email, &format!("Finanças de {name}"));
            if self.user(&registration, size, rng.u64(..)).await? {
                made += 1;
                transactions += known + waiting;
            }
        }
        Ok(format!("{made} users made with {transactions} transactions, password {PASSWORD}"))
    }

    /// Makes one user with everything they have, or nothing if their e-mail is taken.
    async fn user(&self, registration: &Registration, size: Size, seed: u64) -> anyhow::Result<bool> {
        let mut tx = self.db.write().await?;
        let trace = Uuid::now_v7().simple().to_string();
        let registered =
            actions::sessions::register(&mut tx, registration, &self.hash, self.now, trace).await;
        let (user, tenant) = match registered {
            Err(Error::Conflict(Conflict::EmailTaken)) => return Ok(false),
            outcome => outcome?,
        };
        let trace_id = Uuid::now_v7().simple().to_string();
        let by = Caller { user: user.id, tenant: tenant.id, role: Role::Owner, now: self.now, trace_id };
        let slice = crate::domain::page::Slice { limit: 200, after: None };
        let categories = store::categories::list(&mut tx, tenant.id, &slice).await?;
        let day = today(self.now);
        let mut rng = fastrand::Rng::with_seed(seed);
        let life = generate::life(&mut rng, day, size, &categories, self.now);
        for account in &life.accounts {
            store::accounts::insert(&mut tx, tenant.id, account).await?;
        }
        for batch in life.transactions.chunks(BATCH) {
            store::transactions::insert(&mut tx, tenant.id, batch).await?;
        }
        for transaction in life.transactions.iter().filter(|it| !it.splits.is_empty()) {
            store::transactions::insert_splits(&mut tx, tenant.id, transaction.id, &transaction.splits)
                .await?;
        }
        self.ask_for_categories(&mut tx, &by, &life.transactions).await?;
        let month = Month::of(day);
        // This month's, as they were the month before.
        for budget in budgets::plan(month, &categories, &life.transactions, self.now) {
            let before = Budget { id: Uuid::now_v7(), month: month.previous(), ..budget.clone() };
            store::budgets::insert(&mut tx, tenant.id, &before).await?;
            store::budgets::insert(&mut tx, tenant.id, &budget).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Tells the worker of what has no category yet, as if it had just been recorded.
    async fn ask_for_categories(&self, tx: &mut Tx, by: &Caller, made: &[Transaction]) -> anyhow::Result<()> {
        let waits =
            |it: &&Transaction| it.kind == Kind::Normal && it.category_id.is_none() && it.splits.is_empty();
        for transaction in made.iter().filter(waits) {
            let payload = json!({ "transaction_id": transaction.id, "account_id": transaction.account_id });
            store::outbox::insert(tx, by, "transaction.created", &payload).await?;
        }
        Ok(())
    }
}

fn registration(name: &str, email: &str, tenant_name: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        tenant_name: tenant_name.to_owned(),
    }
}
