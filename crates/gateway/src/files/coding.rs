//! Content codings: the precompressed siblings a file may have, and which one a client wants.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// How a variant of a file is stored. The order is the server's preference among equally welcome ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstd,
    Gzip,
    Identity,
}

impl Coding {
    /// Best first.
    pub(super) const ALL: [Self; 4] = [Self::Brotli, Self::Zstd, Self::Gzip, Self::Identity];

    /// What follows the file's own name on disk.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The name in Accept-Encoding and Content-Encoding.
    pub(super) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// What a client accepts (RFC 9110 section 12.5.3), weights in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accepted {
    listed: [Option<u16>; 4],
    any: Option<u16>,
}

impl Accepted {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let mut accepted = Self::default();
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for item in lines.flat_map(|line| line.split(',')) {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(weight).unwrap_or(1000);
            if name == "*" {
                accepted.any = Some(weight);
            }
            let gzip_alias = name.eq_ignore_ascii_case("x-gzip");
            for (slot, coding) in accepted.listed.iter_mut().zip(Coding::ALL) {
                if name.eq_ignore_ascii_case(coding.token()) || (gzip_alias && coding == Coding::Gzip) {
                    *slot = Some(weight);
                }
            }
        }
        accepted
    }

    /// How welcome `coding` is; None if it must not be sent. Identity that was not named is the last resort:
    /// below everything that was.
    pub(super) fn weight(&self, coding: Coding) -> Option<u16> {
        let named = self.listed[coding as usize].or(self.any);
        if coding == Coding::Identity { named.map_or(Some(0), positive) } else { positive(named?) }
    }
}

fn positive(weight: u16) -> Option<u16> {
    (weight > 0).then_some(weight)
}

/// `q=0.8` in thousandths; a weight that does not parse counts as 0, so the coding is not used.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let well_formed = matches!(whole, "0" | "1") && fraction.len() <= 3;
    if !well_formed || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(0);
    }
    let thousandths = format!("{whole}{fraction:0<3}").parse::<u16>().unwrap_or(0);
    Some(thousandths.min(1000))
}
