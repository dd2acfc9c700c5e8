//! People: who they are, in which tenants, and what they may do there.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::Form;
use super::text::{self, NAME};
use super::violation::Violation;

/// What a member of a tenant may do; each role may do all the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also writes.
    Member,
    /// Also deletes accounts and categories.
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the role: it is not one of viewer, member, owner")]
pub struct NotARole;

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        [Self::Viewer, Self::Member, Self::Owner].into_iter().find(|it| it.as_str() == text).ok_or(NotARole)
    }
}

/// Who asks, in which tenant, when, and in which trace.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: Uuid,
    pub tenant: Uuid,
    pub role: Role,
    pub now: Timestamp,
    pub trace_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub email: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tenant {
    pub id: Uuid,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Membership {
    pub tenant_id: Uuid,
    pub tenant_name: String,
    pub role: Role,
}

/// What a new user writes.
#[derive(ToSchema)]
pub struct Registration {
    pub name: String,
    pub email: String,
    #[schema(min_length = 10, max_length = 200, format = Password)]
    pub password: String,
    /// Left out: "Finanças de" and the name.
    #[schema(required = false)]
    pub tenant_name: String,
}

const PASSWORD_CHARS_MIN: usize = 10;
/// Long enough for any pass phrase, short enough that hashing one costs what we think.
const PASSWORD_CHARS_MAX: usize = 200;

impl Registration {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let name = form.text("name", NAME);
        let email = read_email(&mut form);
        let before = form.violations();
        let password = form.secret("password");
        let length = password.chars().count();
        if form.violations() == before && length < PASSWORD_CHARS_MIN {
            form.reject(
                "password",
                "too_short",
                format!("deve ter pelo menos {PASSWORD_CHARS_MIN} caracteres"),
            );
        }
        if length > PASSWORD_CHARS_MAX {
            form.reject(
                "password",
                "too_long",
                format!("deve ter no máximo {PASSWORD_CHARS_MAX} caracteres"),
            );
        }
        let tenant_name = form.optional_text("tenant_name", NAME).unwrap_or_else(|| {
            let first: String = name.split_whitespace().next().unwrap_or_default().chars().take(60).collect();
            format!("Finanças de {first}")
        });
        form.finish(Self { name, email, password, tenant_name })
    }
}

/// What a user writes to come in.
#[derive(ToSchema)]
pub struct Credentials {
    pub email: String,
    #[schema(format = Password)]
    pub password: String,
}

impl Credentials {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let email = form.secret("email").trim().to_lowercase();
        let password = form.secret("password");
        if email.contains('\0') {
            form.reject("email", "invalid", "deve ser um e-mail");
        }
        if password.chars().count() > PASSWORD_CHARS_MAX {
            form.reject(
                "password",
                "too_long",
                format!("deve ter no máximo {PASSWORD_CHARS_MAX} caracteres"),
            );
        }
        form.finish(Self { email, password })
    }
}

fn read_email(form: &mut Form) -> String {
    let before = form.violations();
    let email = text::email(&form.secret("email"));
    if email.is_none() && form.violations() == before {
        form.reject("email", "invalid", "deve ser um e-mail");
    }
    email.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_by_what_they_may_do() {
        assert!(Role::Viewer < Role::Member && Role::Member < Role::Owner);
    }
}
