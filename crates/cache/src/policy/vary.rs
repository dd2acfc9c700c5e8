//! `Vary` (RFC 9111 4.1).

use http::header::VARY;
use http::{HeaderMap, HeaderName};
use smallvec::{Array, SmallVec};

use super::Refusal;

/// Fields a response may vary by; one that names more is not stored.
const FIELDS_MAX: usize = 16;

/// The request's fields that chose a response, and the values they had.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Vary(Box<[(HeaderName, Option<Value>)]>);

pub(super) type Value = Box<[u8]>;

impl Vary {
    pub(super) fn read(response: &HeaderMap, request: &HeaderMap) -> Result<Self, Refusal> {
        let mut names = Vec::new();
        for line in response.get_all(VARY) {
            let line = line.to_str().ok().ok_or(Refusal::Vary)?;
            for name in line.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                if name == "*" {
                    return Err(Refusal::Vary);
                }
                names.push(HeaderName::from_bytes(name.as_bytes()).ok().ok_or(Refusal::Vary)?);
            }
        }
        names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        if names.len() > FIELDS_MAX {
            return Err(Refusal::Vary);
        }
        let chosen = |name: HeaderName| {
            let value = request.contains_key(&name).then(|| bytes(request, &name).collect());
            (name, value)
        };
        Ok(Self(names.into_iter().map(chosen).collect()))
    }

    /// Each once, sorted: equal lists are equal names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &HeaderName> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The fields, and the values they had.
    pub(super) fn chosen(&self) -> &[(HeaderName, Option<Value>)] {
        &self.0
    }

    /// Of fields that were [`Vary::chosen`].
    pub(super) fn of(chosen: Vec<(HeaderName, Option<Value>)>) -> Self {
        Self(chosen.into())
    }

    /// Whether it names what the gateway tells services of who asks: not what is compared here, the client's own
    /// fields.
    pub(super) fn is_of_gateway(&self) -> bool {
        let of_gateway =
            |name: &str| name.starts_with("x-mare-") || matches!(name, "x-forwarded-for" | "forwarded");
        self.names().any(|name| of_gateway(name.as_str()))
    }

    pub fn matches(&self, request: &HeaderMap) -> bool {
        self.0.iter().all(|(name, value)| match value {
            Some(value) => request.contains_key(name) && bytes(request, name).eq(value.iter().copied()),
            None => !request.contains_key(name),
        })
    }

    /// Appends a request's values of these fields to a key, framed: equal bytes if and only if the same response is
    /// chosen. For the second level of the storage.
    pub fn key<'a>(
        names: impl Iterator<Item = &'a HeaderName>,
        request: &HeaderMap,
        key: &mut SmallVec<impl Array<Item = u8>>,
    ) {
        for name in names {
            if !request.contains_key(name) {
                key.push(0);
                continue;
            }
            key.push(1);
            let at = key.len();
            key.extend([0; size_of::<u64>()]);
            key.extend(bytes(request, name));
            let length = (key.len() - at - size_of::<u64>()) as u64;
            key[at..at + size_of::<u64>()].copy_from_slice(&length.to_be_bytes());
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.as_str().len() + value.as_ref().map_or(0, |value| value.len()))
            .sum()
    }
}

/// A field's lines as one list, which means the same (RFC 9110 5.3).
fn bytes<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = u8> + 'a {
    headers.get_all(name).iter().enumerate().flat_map(|(at, line)| {
        let comma: &[u8] = if at == 0 { b"" } else { b"," };
        comma.iter().chain(line.as_bytes().trim_ascii()).copied()
    })
}
