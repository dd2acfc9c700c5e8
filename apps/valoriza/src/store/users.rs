//! Users, tenants and who belongs to which.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::member::{Membership, Role, Tenant, User};

impl FromRow for User {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.get("id")?, name: row.get("name")?, email: row.get("email")? })
    }
}

impl FromRow for Membership {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            tenant_id: row.get("tenant_id")?,
            tenant_name: row.get("tenant_name")?,
            role: row.parse("role")?,
        })
    }
}

/// A user with what proves it is them.
#[derive(Debug)]
pub struct Login {
    pub user: User,
    pub password_hash: String,
}

impl FromRow for Login {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { user: User::from_row(row)?, password_hash: row.get("password_hash")? })
    }
}

pub async fn insert(tx: &mut Tx, user: &User, password_hash: &str, now: Timestamp) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO users (id, name, email, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
    );
    let statement = statement
        .bind(user.id)
        .bind(user.name.as_str())
        .bind(user.email.as_str())
        .bind(password_hash)
        .bind(now);
    tx.execute(statement).await.map(drop)
}

pub async fn insert_tenant(tx: &mut Tx, tenant: &Tenant, now: Timestamp) -> Result<(), Error> {
    let statement = Statement::new("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)");
    tx.execute(statement.bind(tenant.id).bind(tenant.name.as_str()).bind(now)).await.map(drop)
}

pub async fn insert_membership(
    tx: &mut Tx,
    tenant: Uuid,
    user: Uuid,
    role: Role,
    now: Timestamp,
) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
    );
    tx.execute(statement.bind(tenant).bind(user).bind(role.as_str()).bind(now)).await.map(drop)
}

pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<User>, Error> {
    tx.optional(Statement::new("SELECT id, name, email FROM users WHERE id = $1").bind(id)).await
}

pub async fn find_login(tx: &mut Tx, email: &str) -> Result<Option<Login>, Error> {
    let statement = Statement::new("SELECT id, name, email, password_hash FROM users WHERE email = $1");
    tx.optional(statement.bind(email)).await
}

struct Name(String);

impl FromRow for Name {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("name").map(Self)
    }
}

/// Names of a tenant's members, the first ones.
pub async fn names(tx: &mut Tx, tenant: Uuid) -> Result<Vec<String>, Error> {
    let statement = Statement::new(
        "SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1
         ORDER BY m.created_at, m.user_id LIMIT 100",
    );
    Ok(tx.all::<Name>(statement.bind(tenant)).await?.into_iter().map(|Name(name)| name).collect())
}

pub async fn tenant_name(tx: &mut Tx, tenant: Uuid) -> Result<String, Error> {
    let Name(name) = tx.one(Statement::new("SELECT name FROM tenants WHERE id = $1").bind(tenant)).await?;
    Ok(name)
}

/// Oldest first: the first is where a login goes.
pub async fn memberships(tx: &mut Tx, user: Uuid) -> Result<Vec<Membership>, Error> {
    let statement = Statement::new(
        "SELECT m.tenant_id, t.name AS tenant_name, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant_id
         WHERE m.user_id = $1 ORDER BY m.created_at, m.tenant_id LIMIT 200",
    );
    tx.all(statement.bind(user)).await
}
