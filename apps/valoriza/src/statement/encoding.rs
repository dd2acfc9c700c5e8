//! From bytes to text: a byte order mark, else UTF-8, else Windows-1252.
//!
//! What a file says of its own encoding is not believed: Brazilian banks write `CHARSET:1252` over UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::Failure;

/// First bytes of files people pick by mistake, and what they are.
const OTHERS: [(&[u8], &str); 6] = [
    (b"%PDF", "um PDF"),
    (b"PK\x03\x04", "uma planilha ou um arquivo compactado"),
    (b"\xd0\xcf\x11\xe0", "uma planilha antiga do Excel"),
    (b"\x1f\x8b", "um arquivo compactado"),
    (b"\x89PNG", "uma imagem"),
    (b"\xff\xd8\xff", "uma imagem"),
];

pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let detail = format!("Isto é {what}: exporte o extrato do banco como OFX ou CSV.");
        return Err(Failure::new("not_text", detail));
    }
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            let (text, broken) = encoding.decode_without_bom_handling(&bytes[length..]);
            if broken {
                let detail = format!("O arquivo diz ser {}, mas não é.", encoding.name());
                return Err(Failure::new("bad_encoding", detail));
            }
            text
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    };
    if let Some(position) = text.find('\0') {
        let detail = "O arquivo não é texto: exporte o extrato do banco como OFX ou CSV.";
        return Err(Failure::new("not_text", detail).at(line_of(&text, position)));
    }
    if text.trim().is_empty() {
        return Err(Failure::new("empty_file", "O arquivo está vazio."));
    }
    Ok(text)
}

fn line_of(text: &str, position: usize) -> u64 {
    1 + text.as_bytes()[..position].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_first_then_utf8_then_windows_1252() {
        let check = |bytes: &[u8], expected: Result<&str, &str>| {
            assert_eq!(decode(bytes).as_deref().map_err(|it| it.code), expected);
        };
        check("açaí".as_bytes(), Ok("açaí"));
        check(b"a\xe7a\xed \x96 \x80", Ok("açaí – €"));
        check(b"\xef\xbb\xbfa\xc3\xa7", Ok("aç"));
        check(b"\xff\xfea\0\xe7\0", Ok("aç"));
        check(b"\xfe\xff\0a\0\xe7", Ok("aç"));
        check(b"\xef\xbb\xbfa\xe7o", Err("bad_encoding"));
        check(b"a\0b", Err("not_text"));
        check(b"%PDF-1.7", Err("not_text"));
        check(b"", Err("empty_file"));
        check(b"\xef\xbb\xbf \r\n", Err("empty_file"));
    }
}
