//! The file of brands the lexicon's build writes, and the engine made with it.

use std::fs::File;
use std::io::{ErrorKind, Read};

use crate::categorise::{Engine, Lexicon};

/// Services run in their manifest's folder, beside which the build writes it.
const PATH: &str = "lexicon/dist/brands.tsv";
/// It has 40 KB.
const BYTES_MAX: u64 = 16 << 20;

/// Makes the engine: our own lexicon, and the brands of `$VALORIZA_LEXICON` or else `lexicon/dist/brands.tsv`.
/// Without that file only its brands are missing; this is said once, here.
pub fn engine() -> Engine {
    let mut lexicon = Lexicon::builtin();
    if let Some(tsv) = read() {
        let brands = lexicon.add_brands(&tsv);
        tracing::info!(brands, "lexicon read");
    }
    Engine::new(lexicon)
}

/// The file's text, where it is there.
pub fn read() -> Option<String> {
    let path = std::env::var("VALORIZA_LEXICON").unwrap_or_else(|_| PATH.to_owned());
    let mut text = String::new();
    match File::open(&path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::info!(path, "no file of brands; `make lexicon` builds it");
            None
        }
        Err(error) => {
            tracing::warn!(path, %error, "the file of brands cannot be read");
            None
        }
    }
}
