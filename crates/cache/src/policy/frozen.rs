//! A stored response as bytes, for a memory that others read.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::stored::{Stored, Terms, Validators};
use super::{Time, Vary};
use crate::frames::{Reader, Writer};

impl Stored {
    pub(crate) fn write(&self, writer: &mut Writer) {
        let Self { status, headers, vary, tags, validators, terms, targeted, chained } = self;
        writer.number(status.as_u16().into());
        writer.count(headers.len());
        for (name, value) in headers {
            writer.frame(name.as_str().as_bytes());
            writer.frame(value.as_bytes());
        }
        let chosen = vary.chosen();
        writer.count(chosen.len());
        for (name, value) in chosen {
            writer.frame(name.as_str().as_bytes());
            writer.optional(value.as_deref());
        }
        writer.count(tags.len());
        for tag in tags {
            writer.frame(tag.as_bytes());
        }
        writer.optional(validators.etag.as_ref().map(HeaderValue::as_bytes));
        writer.optional(validators.last_modified.as_ref().map(HeaderValue::as_bytes));
        writer.number(validators.modified);
        writer.flag(validators.strong_date);
        for number in
            [terms.received.0, terms.initial_age, terms.lifetime, terms.while_revalidate, terms.if_error]
        {
            writer.number(number);
        }
        for flag in [terms.no_cache, terms.never_stale, terms.anonymous] {
            writer.flag(flag);
        }
        writer.optional(targeted.as_ref().map(HeaderValue::as_bytes));
        writer.flag(*chained);
    }

    /// `None`: these are not the bytes of one.
    pub(crate) fn read_from(reader: &mut Reader<'_>) -> Option<Self> {
        let status = StatusCode::from_u16(u16::try_from(reader.number()?).ok()?).ok()?;
        let fields = reader.list(|reader| Some((name(reader.frame()?)?, value(reader.frame()?)?)))?;
        let mut headers = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields {
            headers.append(name, value);
        }
        let chosen = reader.list(|reader| {
            let name = name(reader.frame()?)?;
            Some((name, reader.list(|reader| reader.frame().map(Box::from))?.pop()))
        })?;
        let tags = reader.list(|reader| std::str::from_utf8(reader.frame()?).ok().map(Box::from))?;
        let validators = Validators {
            etag: values(reader)?.pop(),
            last_modified: values(reader)?.pop(),
            modified: reader.number()?,
            strong_date: reader.flag()?,
        };
        let terms = Terms {
            received: Time(reader.number()?),
            initial_age: reader.number()?,
            lifetime: reader.number()?,
            while_revalidate: reader.number()?,
            if_error: reader.number()?,
            no_cache: reader.flag()?,
            never_stale: reader.flag()?,
            anonymous: reader.flag()?,
        };
        Some(Self {
            status,
            headers,
            vary: Vary::of(chosen),
            tags: tags.into(),
            validators,
            terms,
            targeted: values(reader)?.pop(),
            chained: reader.flag()?,
        })
    }
}

fn name(bytes: &[u8]) -> Option<HeaderName> {
    HeaderName::from_bytes(bytes).ok()
}

fn value(bytes: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(bytes).ok()
}

/// Of what was optional, all there is.
fn values(reader: &mut Reader<'_>) -> Option<Vec<HeaderValue>> {
    reader.list(|reader| value(reader.frame()?))
}
