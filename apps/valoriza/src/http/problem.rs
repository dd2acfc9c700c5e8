//! RFC 9457 problem documents: a stable code for programs, Portuguese for people.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::{Conflict, Error, Unauthenticated};
use crate::db;
use crate::domain::violation::Violation;

/// An error as clients see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Violation>,
}

/// A busy database is free again within a transaction or two.
const RETRY_AFTER_SECONDS: &str = "1";

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: &str) -> Self {
        let kind = format!("urn:valoriza:problem:{code}");
        Self { kind, title, status: status.as_u16(), detail: detail.to_owned(), code, errors: Vec::new() }
    }

    pub(super) fn invalid(errors: Vec<Violation>) -> Self {
        let detail = "Corrija os campos indicados.";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { errors, ..Self::new(status, "invalid_input", "Dados inválidos", detail) }
    }

    pub(super) fn bad_json(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_json", "JSON inválido", detail)
    }

    pub(super) fn bad_cursor() -> Self {
        let detail = "O cursor não veio de uma página desta lista.";
        Self::new(StatusCode::BAD_REQUEST, "bad_cursor", "Cursor inválido", detail)
    }

    pub(super) fn bad_header(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Cabeçalho inválido", detail)
    }

    pub(super) fn too_large() -> Self {
        let detail = "O corpo da requisição passa de 256 KiB.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Requisição grande demais", detail)
    }

    pub(super) fn file_too_large() -> Self {
        let detail = "O arquivo passa de 10 MiB.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", "Arquivo grande demais", detail)
    }

    pub(super) fn too_slow() -> Self {
        let detail = "O corpo da requisição não chegou a tempo.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "Requisição lenta demais", detail)
    }

    pub(super) fn not_json() -> Self {
        let detail = "Envie Content-Type: application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Formato não aceito", detail)
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "Este endereço não aceita este método.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Método não permitido", detail)
    }

    pub(super) fn key_reused() -> Self {
        let detail = "Esta Idempotency-Key já foi usada com outra requisição.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Chave já usada", detail)
    }

    pub(super) fn in_progress() -> Self {
        let detail = "A primeira requisição com esta Idempotency-Key ainda não terminou.";
        Self::new(StatusCode::CONFLICT, "idempotency_in_progress", "Em andamento", detail)
    }

    fn conflict(conflict: Conflict) -> Self {
        let (code, title, detail) = match conflict {
            Conflict::EmailTaken => ("email_taken", "E-mail já cadastrado", "Entre com ele ou use outro."),
            Conflict::AccountInUse => (
                "account_in_use",
                "Conta em uso",
                "A conta tem transações ou automações: arquive-a em vez de excluir.",
            ),
            Conflict::CategoryInUse => (
                "category_in_use",
                "Categoria em uso",
                "A categoria tem subcategorias, transações, orçamentos ou automações.",
            ),
            Conflict::CategoryNameTaken => {
                ("category_name_taken", "Nome já usado", "Já existe uma categoria com este nome neste nível.")
            }
            Conflict::BudgetExists => {
                ("budget_exists", "Orçamento já existe", "Esta categoria já tem orçamento neste mês.")
            }
            Conflict::AutomationDisabled => {
                ("automation_disabled", "Automação desligada", "Ligue a automação antes de aplicá-la.")
            }
            Conflict::ReportNotReady => {
                ("report_not_ready", "Relatório não pronto", "O relatório está sendo feito, ou não pôde ser.")
            }
            Conflict::ImportState => (
                "import_state",
                "Importação em outro estado",
                "Leia a importação de novo: ela está em outra etapa.",
            ),
            Conflict::LimitReached => {
                ("limit_reached", "Limite atingido", "Exclua o que não usa mais antes de criar.")
            }
        };
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }

    fn unauthenticated(why: Unauthenticated) -> Self {
        let (code, title, detail) = match why {
            Unauthenticated::BadToken => {
                ("bad_token", "Não autenticado", "O token falta, expirou ou não é válido.")
            }
            Unauthenticated::BadCredentials => {
                ("bad_credentials", "Não autenticado", "E-mail ou senha não conferem.")
            }
            Unauthenticated::TokenReused => {
                ("token_reused", "Sessão encerrada", "O token já tinha sido usado; entre novamente.")
            }
        };
        Self::new(StatusCode::UNAUTHORIZED, code, title, detail)
    }

    pub(super) fn busy() -> Self {
        let detail = "Tente de novo em instantes; nada foi gravado.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Serviço ocupado", detail)
    }

    fn outcome_unknown() -> Self {
        let detail =
            "Talvez tenha sido gravado: repita com a mesma Idempotency-Key, ou leia antes de repetir.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "outcome_unknown", "Resultado desconhecido", detail)
    }

    fn internal() -> Self {
        let detail = "Algo deu errado do nosso lado; nada foi gravado.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Erro interno", detail)
    }
}

/// Where an error is handled, and so where it is logged, once, with what caused it.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => Self::invalid(violations),
            Error::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "not_found", "Não encontrado", "Não existe ou não é seu.")
            }
            Error::Forbidden => {
                let detail = "Seu papel neste espaço não permite isto.";
                Self::new(StatusCode::FORBIDDEN, "forbidden", "Sem permissão", detail)
            }
            Error::Stale => {
                let detail = "Foi alterado por outra pessoa: leia de novo antes de gravar.";
                Self::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", "Versão desatualizada", detail)
            }
            Error::Conflict(conflict) => Self::conflict(conflict),
            Error::Unauthenticated(why) => Self::unauthenticated(why),
            Error::Overloaded => {
                tracing::warn!("too many passwords waiting to be hashed");
                Self::busy()
            }
            Error::Db(db::Error::Busy(cause)) => {
                tracing::warn!(error = %cause, "database busy");
                Self::busy()
            }
            Error::Db(db::Error::OutcomeUnknown(cause)) => {
                tracing::error!(error = %cause, "a commit broke off");
                Self::outcome_unknown()
            }
            // A rule we check before writing was broken by somebody else between the two.
            Error::Db(db::Error::Constraint { kind, source }) => {
                tracing::warn!(?kind, error = %source, "write met a concurrent one");
                let detail = "Algo a que isto se refere acaba de mudar; leia de novo e repita.";
                Self::new(StatusCode::CONFLICT, "conflict", "Conflito", detail)
            }
            Error::Db(error) => {
                tracing::error!(error = %format!("{:#}", anyhow::Error::new(error)), "database failed");
                Self::internal()
            }
            Error::Internal(error) => {
                tracing::error!(error = %format!("{error:#}"), "request failed");
                Self::internal()
            }
        }
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        Error::Db(error).into()
    }
}

impl From<Vec<Violation>> for Problem {
    fn from(violations: Vec<Violation>) -> Self {
        Self::invalid(violations)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("made from a status");
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_broke_off_is_not_said_to_have_written_nothing() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        let problem = Problem::from(db::Error::OutcomeUnknown(lost));
        assert_eq!((problem.status, problem.code), (500, "outcome_unknown"));
    }
}
