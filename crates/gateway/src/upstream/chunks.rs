//! The chunked coding of an answer (RFC 9112 7.1), taken off piece by piece.

use bytes::{Buf, Bytes};

/// Bytes of chunk extensions, or of trailers, in one answer. Both are dropped, and nobody sends many.
const IGNORED_MAX: usize = 16 * 1024;

/// Where in the coding the next byte stands.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    at: At,
    ignored: usize,
}

#[derive(Debug, Default, PartialEq)]
enum At {
    /// Before the first digit of a size.
    #[default]
    Start,
    Size(u64),
    /// In white space behind a size.
    Space(u64),
    /// Behind a size, in its extension.
    Extension(u64),
    SizeEnd(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// At the start of a line behind the last chunk: a trailer, or the empty line that ends it all.
    Trailers,
    Trailer,
    TrailerLf,
    LastLf,
    End,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("not a chunk")]
pub(crate) struct NotAChunk;

impl Chunks {
    pub(crate) fn is_ended(&self) -> bool {
        self.at == At::End
    }

    /// The next data in `read`, of which it takes what it understood. `None`: all of `read` was taken, or the
    /// body has ended; then what is left is not of it.
    pub(crate) fn next(&mut self, read: &mut Bytes) -> Result<Option<Bytes>, NotAChunk> {
        loop {
            if let At::Data(left) = self.at {
                if read.is_empty() {
                    return Ok(None);
                }
                let length = read.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let data = read.split_to(length);
                self.at = match left - length as u64 {
                    0 => At::DataCr,
                    left => At::Data(left),
                };
                self.skip_framing(read)?;
                return Ok(Some(data));
            }
            if self.is_ended() || read.is_empty() {
                return Ok(None);
            }
            self.skip_framing(read)?;
        }
    }

    /// Reads on until data begins, so that the end of a body is known together with its last data.
    fn skip_framing(&mut self, read: &mut Bytes) -> Result<(), NotAChunk> {
        while !matches!(self.at, At::Data(_) | At::End) && read.has_remaining() {
            let byte = read.get_u8();
            self.at = self.after(byte)?;
        }
        Ok(())
    }

    fn after(&mut self, byte: u8) -> Result<At, NotAChunk> {
        Ok(match (&self.at, byte) {
            (At::Start, _) => At::Size(digit(byte).ok_or(NotAChunk)?),
            (At::Size(size) | At::Space(size) | At::Extension(size), b'\r') => At::SizeEnd(*size),
            (At::Size(size) | At::Space(size), b';') => At::Extension(*size),
            (At::Size(size) | At::Space(size), b' ' | b'\t') => {
                let size = *size;
                self.ignore()?;
                At::Space(size)
            }
            (At::Size(size), _) => {
                let size = size.checked_mul(16).zip(digit(byte)).and_then(|(sum, low)| sum.checked_add(low));
                At::Size(size.ok_or(NotAChunk)?)
            }
            (At::SizeEnd(0) | At::TrailerLf, b'\n') => At::Trailers,
            (At::SizeEnd(size), b'\n') => At::Data(*size),
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Start,
            (At::Trailers, b'\r') => At::LastLf,
            (At::LastLf, b'\n') => At::End,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::Extension(size), byte) if byte != b'\n' => {
                let size = *size;
                self.ignore()?;
                At::Extension(size)
            }
            (At::Trailers | At::Trailer, byte) if byte != b'\n' => {
                self.ignore()?;
                At::Trailer
            }
            _ => return Err(NotAChunk),
        })
    }

    fn ignore(&mut self) -> Result<(), NotAChunk> {
        self.ignored += 1;
        if self.ignored > IGNORED_MAX { Err(NotAChunk) } else { Ok(()) }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The data, what was left over, and whether the body ended; the bytes come in pieces of `step`.
    fn decoded(bytes: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), NotAChunk> {
        let (mut chunks, mut data, mut left) = (Chunks::default(), Vec::new(), 0);
        for piece in bytes.chunks(step) {
            let mut read = Bytes::copy_from_slice(piece);
            while let Some(part) = chunks.next(&mut read)? {
                data.extend_from_slice(&part);
            }
            left += read.len();
        }
        Ok((data, left, chunks.is_ended()))
    }

    #[test]
    fn chunks_are_taken_apart_however_they_arrive() {
        let check = |bytes: &str, data: &str, left: usize, ended: bool| {
            for step in 1..=bytes.len() {
                let expected = Ok((data.as_bytes().to_vec(), left, ended));
                assert_eq!(decoded(bytes.as_bytes(), step), expected, "{bytes:?} in pieces of {step}");
            }
        };
        check("2\r\nok\r\n0\r\n\r\n", "ok", 0, true);
        check("2\r\nok\r\n00\r\n\r\nmore", "ok", 4, true);
        check("A \t;x=y\r\n0123456789\r\n1 \r\na\r\n0\r\n\r\n", "0123456789a", 0, true);
        check("0\r\nx: 1\r\ny: 2\r\n\r\n", "", 0, true);
        check("2\r\nok\r\n", "ok", 0, false);
        check("2\r\no", "o", 0, false);
    }

    #[test]
    fn what_is_not_a_chunk_is_refused() {
        for bytes in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "2\nok\r\n",
            "2\r\nokk\r\n",
            "2\r\nok\n",
            "ffffffffffffffffff\r\n",
            "1;a\nb\r\n",
            "1 0\r\n",
            "1\t2;a\r\n",
            " 1\r\n",
            "0\r\n\n",
            "0\r\nx: 1\n\r\n",
        ] {
            assert_eq!(decoded(bytes.as_bytes(), bytes.len()), Err(NotAChunk), "{bytes:?}");
        }
        let long = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(IGNORED_MAX + 1));
        assert_eq!(decoded(long.as_bytes(), 1000), Err(NotAChunk));
    }

    proptest! {
        #[test]
        fn what_was_coded_is_what_comes_out(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            step in 1..50_usize,
        ) {
            let mut coded = Vec::new();
            for part in &parts {
                coded.extend(format!("{:x}\r\n", part.len()).bytes().chain(part.iter().copied()));
                coded.extend(b"\r\n");
            }
            coded.extend(b"0\r\n\r\nGET");
            let (data, left, ended) = decoded(&coded, step).expect("chunks");
            prop_assert!(ended);
            prop_assert_eq!(data, parts.concat());
            prop_assert_eq!(left, 3);
        }

        #[test]
        fn nothing_panics_it(bytes: Vec<u8>, step in 1..50_usize) {
            let _ = decoded(&bytes, step);
        }
    }
}
