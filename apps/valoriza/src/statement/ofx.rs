//! OFX, 1.x (SGML) and 2.x (XML), as banks write it rather than as the standard has it.
//!
//! [`tokens`] cuts the text into tags and text and knows nothing of banking; [`reader`] listens to them and
//! keeps what it knows. Tags may be closed or not, unknown ones are passed over, `&` may stand for itself.

mod reader;
mod tokens;

use super::{Failure, Statement};

/// Where `<OFX>` must be: after a header of a dozen short lines, or the XML declarations.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Whether the text is OFX rather than a table.
pub fn is_ofx(text: &str) -> bool {
    let start = text.trim_start();
    if start.starts_with("OFXHEADER") || start.starts_with('<') {
        return true;
    }
    let head = &start.as_bytes()[..start.len().min(HEADER_BYTES_MAX)];
    head.windows(5).any(|it| it.eq_ignore_ascii_case(b"<OFX>"))
}

/// Reads every statement of the text.
pub fn read(text: &str) -> Result<Vec<Statement>, Failure> {
    reader::read(text)
}
