//! `mare key`: makes an API key, and what the manifest must know of it.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::cli;
use crate::data::{hexadecimal, random};

/// So that scanners for leaked secrets, and people, know one when they see it.
const PREFIX: &str = "mare_";

pub(crate) fn run(arguments: &cli::Key) -> Result<()> {
    let key = format!("{PREFIX}{}", random()?);
    crate::print(&format!(
        "The key, for the client; it is not shown again:\n\n{key}\n\nFor mare.toml:\n\n{}",
        section(&arguments.name, &key)
    ));
    Ok(())
}

fn section(name: &str, key: &str) -> String {
    format!("[api_keys.{name}]\nhash = \"sha256:{}\"\n", hexadecimal(&Sha256::digest(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_gets_the_hash_of_the_key() {
        // `printf foo | sha256sum`
        let expected = "[api_keys.partner]\n\
            hash = \"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\n";
        assert_eq!(section("partner", "foo"), expected);
    }
}
