//! The methods over REST: JSON into messages and back (proto3 JSON), and the same call as gRPC makes.

mod codec;
mod plain;
mod route;

use std::sync::Arc;

use ::http::request::Parts;
use ::http::uri::PathAndQuery;
use ::http::{Response, StatusCode};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use percent_encoding::percent_decode_str;
use prost_reflect::{DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, SerializeOptions, Value};
use serde_json::{Map, json};
use tonic::{Code, Request, Status};

use super::fault::Fault;
use super::{BoxError, Shared, json_response};
use crate::proto::DESCRIPTORS;
use codec::{Codec, InProcess};
use route::{Found, Takes};

/// Parameters that every Google API takes and that change nothing here.
const SYSTEM_PARAMETERS: [&str; 6] =
    ["key", "prettyPrint", "fields", "quotaUser", "userProject", "$userProject"];

pub(super) async fn respond(
    shared: &Arc<Shared>,
    head: &Parts,
    body: &Bytes,
) -> Response<UnsyncBoxBody<Bytes, BoxError>> {
    let query = parse_query(head.uri.query().unwrap_or_default());
    let numbers = query.iter().any(|(name, value)| is_alt(name) && value.contains("enum-encoding=int"));
    let answer = async {
        let found = route::find(&head.method, head.uri.path())?;
        if query.is_empty()
            && let Some(answer) = plain::respond(shared, &found, body).await
        {
            return Ok(answer?);
        }
        let method = found.route.method().ok_or_else(|| Fault::Unimplemented(found.route.rpc.into()))?;
        let message = request(&found, method.input(), query, body)?;
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let path = PathAndQuery::try_from(path).expect("names of our .proto");
        let mut client =
            tonic::client::Grpc::new(InProcess(Arc::clone(shared))).max_decoding_message_size(usize::MAX);
        let answer = client.unary(Request::new(message), path, Codec(method.output())).await?;
        Ok::<_, Status>(write(answer.get_ref(), numbers))
    };
    match answer.await {
        Ok(body) => json_response(StatusCode::OK, body),
        Err(status) => refuse(&status),
    }
}

pub(super) fn refuse(status: &Status) -> Response<UnsyncBoxBody<Bytes, BoxError>> {
    let code = http_status(status.code());
    let mut error = json!({ "code": code.as_u16(), "message": status.message(),
        "status": code_name(status.code().into()) });
    let descriptor = DESCRIPTORS.get_message_by_name("google.rpc.Status").expect("it is in our .proto");
    if let Ok(details) = DynamicMessage::decode(descriptor, status.details())
        && let Ok(mut details) = serde_json::from_slice::<serde_json::Value>(&write(&details, false))
        && let Some(details) = details.get_mut("details")
    {
        error["details"] = details.take();
    }
    json_response(code, json!({ "error": error }).to_string().into_bytes())
}

/// The message of a request: from the body or the query, as the route says, and what the path names.
fn request(
    found: &Found,
    descriptor: MessageDescriptor,
    query: Vec<(String, String)>,
    body: &[u8],
) -> Result<DynamicMessage, Fault> {
    let mut message = match found.route.takes {
        Takes::All => from_json(descriptor, body)?,
        Takes::Nothing => from_query(&descriptor, query)?,
        Takes::Field(name) => {
            let mut message = from_query(&descriptor, query)?;
            let field = descriptor.get_field_by_name(name).expect("the table names fields of our .proto");
            if let Kind::Message(of_field) = field.kind() {
                message.set_field(&field, Value::Message(from_json(of_field, body)?));
            }
            message
        }
    };
    let (outer, inner) = found.route.names.split_once('.').unwrap_or((found.route.names, ""));
    let resource = Value::String(found.resource.clone());
    if inner.is_empty() {
        message.set_field_by_name(outer, resource);
    } else if let Some(Value::Message(message)) = message.get_field_by_name_mut(outer) {
        message.set_field_by_name(inner, resource);
    }
    Ok(message)
}

fn from_json(descriptor: MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Fault> {
    // What the Node client makes of a message without fields is an empty string, quoted.
    let body = if matches!(body, b"" | b"\"\"") { b"{}" } else { body };
    let mut json = serde_json::Deserializer::from_slice(body);
    // Unknown names are refused, as the real service does: a misspelt one would be lost.
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor, &mut json, &options)
        .and_then(|message| json.end().map(|()| message))
        .map_err(|error| Fault::invalid(format!("Invalid JSON payload received. {error}")))
}

/// Parameters are fields of the request.
fn from_query(descriptor: &MessageDescriptor, query: Vec<(String, String)>) -> Result<DynamicMessage, Fault> {
    let mut object = Map::new();
    for (name, value) in query {
        if is_alt(&name) || SYSTEM_PARAMETERS.contains(&name.as_str()) {
            continue;
        }
        let field = descriptor.get_field_by_json_name(&name).or_else(|| descriptor.get_field_by_name(&name));
        let field = field.ok_or_else(|| Fault::invalid(format!("The parameter `{name}` is not known.")))?;
        let value = match field.kind() {
            Kind::Enum(_) => value.parse::<i32>().map_or_else(|_name| json!(value), |number| json!(number)),
            // Paths of field masks are written both ways; JSON has them in one.
            Kind::Message(_) => json!(camel_case(&value)),
            _ => json!(value),
        };
        object.insert(field.json_name().to_owned(), value);
    }
    DynamicMessage::deserialize(descriptor.clone(), serde_json::Value::Object(object))
        .map_err(|error| Fault::invalid(format!("The parameters are not valid: {error}")))
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let (initial, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        camel.push_str(&initial.to_uppercase());
        camel + rest
    })
}

/// `$alt`, in which clients ask for numbers instead of names of enums.
fn is_alt(name: &str) -> bool {
    matches!(name, "$alt" | "alt")
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn write(message: &DynamicMessage, numbers: bool) -> Vec<u8> {
    let mut body = serde_json::Serializer::new(Vec::new());
    let options = SerializeOptions::new().use_enum_numbers(numbers);
    message.serialize_with_options(&mut body, &options).expect("our messages have a JSON form");
    body.into_inner()
}

/// A message of this name, as [`write`] would.
fn write_known(full_name: &str, message: &impl prost::Message) -> Vec<u8> {
    let descriptor = DESCRIPTORS.get_message_by_name(full_name).expect("it is in our .proto");
    let message = DynamicMessage::decode(descriptor, &message.encode_to_vec()[..]);
    write(&message.expect("both are made of our .proto"), false)
}

fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// As `google.rpc.Code` names them.
pub(super) fn code_name(code: i32) -> &'static str {
    match Code::from_i32(code) {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_in_either_case() {
        let check = |snake: &str, expected| assert_eq!(camel_case(snake), expected);
        check("rate_limits.max_burst_size,retry_config", "rateLimits.maxBurstSize,retryConfig");
        check("rateLimits", "rateLimits");
        check("", "");
        check("a__é", "aÉ");
    }

    #[test]
    fn queries_are_decoded_before_they_are_read() {
        let expected = [("$alt", "json;enum-encoding=int"), ("a", "b c"), ("flag", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse_query("%24alt=json%3Benum-encoding%3Dint&a=b+c&flag"), expected);
    }
}
