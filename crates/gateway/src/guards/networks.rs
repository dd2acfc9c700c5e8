//! Which networks a client may come from.

use std::net::IpAddr;

use mare_manifest::model::guard as model;
use mare_manifest::model::guard::Network;

use crate::problem::{Code, Refusal};

/// Reads simply: who is in `deny` is refused, whatever `allow` says; who is not in `allow` is, unless that is empty.
pub(crate) struct Networks {
    allow: Vec<Network>,
    deny: Vec<Network>,
}

impl Networks {
    pub(crate) fn new(networks: &model::Networks) -> Self {
        Self { allow: canonical(&networks.allow), deny: canonical(&networks.deny) }
    }

    /// `address` is canonical.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let is_denied = contain(&self.deny, address);
        if is_denied || !self.allow.is_empty() && !contain(&self.allow, address) {
            return Err(Refusal::new(Code::NetworkRefused, "this route is not open to your network"));
        }
        Ok(())
    }
}

/// IPv4 networks written in IPv6 (`::ffff:10.0.0.0/104`) become what they are, as addresses of clients do.
pub(crate) fn canonical(networks: &[Network]) -> Vec<Network> {
    networks
        .iter()
        .map(|network| match (network.address, network.address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) if network.bits >= 96 => {
                Network { address: IpAddr::V4(mapped), bits: network.bits - 96 }
            }
            (address, _) => Network { address, bits: network.bits },
        })
        .collect()
}

/// Whether an address is in one of the networks, all of them canonical.
pub(crate) fn contain(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| match (network.address, address) {
        (IpAddr::V4(network_address), IpAddr::V4(address)) => {
            let rest = 32_u32.saturating_sub(u32::from(network.bits));
            (u32::from(network_address) ^ u32::from(address)).checked_shr(rest).unwrap_or(0) == 0
        }
        (IpAddr::V6(network_address), IpAddr::V6(address)) => {
            let rest = 128_u32.saturating_sub(u32::from(network.bits));
            (u128::from(network_address) ^ u128::from(address)).checked_shr(rest).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        let network = |text: &&str| {
            let (address, bits) = text.split_once('/').expect("a network");
            Network { address: address.parse().expect("an address"), bits: bits.parse().expect("bits") }
        };
        texts.iter().map(network).collect()
    }

    fn check(allow: &[&str], deny: &[&str], address: &str, expected: bool) {
        let guard = Networks::new(&model::Networks { allow: networks(allow), deny: networks(deny) });
        let address: IpAddr = address.parse().expect("an address");
        assert_eq!(guard.check(address.to_canonical()).is_ok(), expected, "{allow:?} {deny:?} {address}");
    }

    #[test]
    fn without_networks_everybody_may_come() {
        check(&[], &[], "192.0.2.1", true);
        check(&[], &[], "2001:db8::1", true);
    }

    #[test]
    fn a_network_holds_the_addresses_with_its_first_bits() {
        check(&["10.0.0.0/8"], &[], "10.255.255.255", true);
        check(&["10.0.0.0/8"], &[], "11.0.0.0", false);
        check(&["10.1.2.3/32"], &[], "10.1.2.3", true);
        check(&["10.1.2.3/32"], &[], "10.1.2.2", false);
        check(&["10.1.2.3/31"], &[], "10.1.2.2", true);
        check(&["2001:db8::/32"], &[], "2001:db8:ffff::1", true);
        check(&["2001:db8::/32"], &[], "2001:db9::1", false);
        check(&["2001:db8::1/128"], &[], "2001:db8::2", false);
    }

    #[test]
    fn everything_of_one_family_is_nothing_of_the_other() {
        check(&["0.0.0.0/0"], &[], "255.255.255.255", true);
        check(&["0.0.0.0/0"], &[], "::1", false);
        check(&["::/0"], &[], "2001:db8::1", true);
        check(&["::/0"], &[], "192.0.2.1", false);
    }

    #[test]
    fn deny_wins() {
        check(&["10.0.0.0/8"], &["10.9.0.0/16"], "10.9.1.1", false);
        check(&["10.9.1.1/32"], &["10.0.0.0/8"], "10.9.1.1", false);
        check(&["10.0.0.0/8"], &["10.9.0.0/16"], "10.8.1.1", true);
        check(&[], &["10.0.0.0/8"], "11.0.0.1", true);
    }

    #[test]
    fn ipv4_written_in_ipv6_is_ipv4() {
        check(&["10.0.0.0/8"], &[], "::ffff:10.1.2.3", true);
        check(&[], &["10.0.0.0/8"], "::ffff:10.1.2.3", false);
        check(&["::ffff:10.0.0.0/104"], &[], "10.1.2.3", true);
        check(&["::ffff:10.0.0.0/104"], &[], "11.1.2.3", false);
    }
}
