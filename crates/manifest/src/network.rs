//! Networks: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::guard::Network;

/// Why something is no network. The value itself is in [`BadNetwork::Wide`] and [`BadNetwork::Mapped`] only.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum BadNetwork {
    Address,
    /// The longest prefix there is.
    Bits(u8),
    /// Bits behind the prefix are set; the network without them.
    Wide(Network),
    /// An IPv4 address in an IPv6 one, which no client has; the IPv4 one.
    Mapped(Ipv4Addr),
}

pub(crate) fn network(text: &str) -> Result<Network, BadNetwork> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return Err(BadNetwork::Address) };
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        return Err(BadNetwork::Mapped(v4));
    }
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => longest,
        Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bits = bits.parse().ok().filter(|bits| *bits <= longest);
            bits.ok_or(BadNetwork::Bits(longest))?
        }
        Some(_) => return Err(BadNetwork::Bits(longest)),
    };
    let network = Network { address: cut(address, bits), bits };
    if network.address == address { Ok(network) } else { Err(BadNetwork::Wide(network)) }
}

/// The address with all bits behind the prefix off.
fn cut(address: IpAddr, bits: u8) -> IpAddr {
    // A shift by the whole width is the one that `checked_shl` refuses: a prefix of nothing.
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_and_the_length_of_its_prefix() {
        let check = |text: &str, expected: &str| {
            assert_eq!(network(text).map(|network| network.to_string()), Ok(expected.to_owned()), "{text}");
        };
        check("10.0.0.0/8", "10.0.0.0/8");
        check("10.1.2.3", "10.1.2.3/32");
        check("0.0.0.0/0", "0.0.0.0/0");
        check("10.1.2.3/32", "10.1.2.3/32");
        check("2001:DB8::/32", "2001:db8::/32");
        check("::1", "::1/128");
        check("::/0", "::/0");
    }

    #[test]
    fn everything_else_is_refused_for_its_own_reason() {
        let check = |text: &str, expected: BadNetwork| assert_eq!(network(text), Err(expected), "{text}");
        let wide =
            |address: &str, bits| BadNetwork::Wide(Network { address: address.parse().expect("one"), bits });
        check("", BadNetwork::Address);
        check("example.com", BadNetwork::Address);
        check("10.0.0/8", BadNetwork::Address);
        check("10.0.0.010", BadNetwork::Address);
        check("[::1]", BadNetwork::Address);
        check("10.0.0.0/33", BadNetwork::Bits(32));
        check("10.0.0.0/-1", BadNetwork::Bits(32));
        check("10.0.0.0/+8", BadNetwork::Bits(32));
        check("10.0.0.0/", BadNetwork::Bits(32));
        check("10.0.0.0/255.0.0.0", BadNetwork::Bits(32));
        check("::/129", BadNetwork::Bits(128));
        check("10.1.2.3/8", wide("10.0.0.0", 8));
        check("10.1.2.3/0", wide("0.0.0.0", 0));
        check("2001:db8::1/32", wide("2001:db8::", 32));
        check("::ffff:10.0.0.1", BadNetwork::Mapped(Ipv4Addr::new(10, 0, 0, 1)));
    }
}
