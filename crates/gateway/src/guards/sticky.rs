//! A cookie that says which instance a client's session is with.
//!
//! It is a wish, not a right: the pool follows it if that instance is ready and has a slot, and says so if it was
//! another one. A cookie made up or long out of date names no instance, or one that the client might have got anyway,
//! so nothing needs to be secret; the number is scrambled only so that it does not tell how many instances there were.

use std::fmt::Write as _;

use http::header::{self, HeaderMap, HeaderValue};
use mare_fleet::InstanceId;
use mare_manifest::model::guard as model;

/// Odd, so that multiplying by it can be undone; the fraction of the golden ratio, as in Fibonacci hashing.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// `FACTOR * FACTOR_UNDONE == 1`.
const FACTOR_UNDONE: u64 = 0xf1de_83e1_9937_733d;

pub(crate) struct Sticky {
    cookie: String,
    /// What follows the value.
    attributes: String,
    /// Services number their instances alike; a cookie of one means nothing to another.
    salt: u64,
}

impl Sticky {
    pub(crate) fn new(sticky: &model::Sticky, service: &str) -> Self {
        let mut attributes = "; Path=/; HttpOnly; SameSite=Lax".to_owned();
        if let Some(ttl) = sticky.ttl {
            let _ = write!(attributes, "; Max-Age={}", ttl.as_secs());
        }
        let salt = service.bytes().fold(0, |sum: u64, byte| scramble(sum ^ u64::from(byte)));
        Self { cookie: sticky.cookie.clone(), attributes, salt }
    }

    /// The instance that a request's cookie names.
    pub(crate) fn instance(&self, request: &HeaderMap) -> Option<InstanceId> {
        let value = request
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(self.cookie.as_str())?.strip_prefix('='))?;
        let is_ours = value.len() == 16 && value.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u64::from_str_radix(value, 16).ok().filter(|_| is_ours)?;
        Some(InstanceId(unscramble(number) ^ self.salt))
    }

    pub(crate) fn dress(&self, answer: &mut HeaderMap, instance: InstanceId, is_https: bool) {
        let number = scramble(instance.0 ^ self.salt);
        let secure = if is_https { "; Secure" } else { "" };
        let text = format!("{}={number:016x}{}{secure}", self.cookie, self.attributes);
        let cookie = HeaderValue::from_str(&text).expect("validation let names of cookies pass only");
        answer.append(header::SET_COOKIE, cookie);
    }
}

fn scramble(number: u64) -> u64 {
    let number = number.wrapping_mul(FACTOR);
    (number ^ number >> 32).wrapping_mul(FACTOR)
}

fn unscramble(number: u64) -> u64 {
    let number = number.wrapping_mul(FACTOR_UNDONE);
    (number ^ number >> 32).wrapping_mul(FACTOR_UNDONE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sticky(service: &str) -> Sticky {
        Sticky::new(&model::Sticky { cookie: "at".to_owned(), ttl: None }, service)
    }

    fn request(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|line| (header::COOKIE, line.parse().expect("a value"))).collect()
    }

    fn set(sticky: &Sticky, instance: u64, is_https: bool) -> String {
        let mut answer = HeaderMap::new();
        sticky.dress(&mut answer, InstanceId(instance), is_https);
        answer[header::SET_COOKIE].to_str().expect("ascii").to_owned()
    }

    #[test]
    fn only_a_whole_cookie_of_that_name_counts() {
        let cookie = set(&sticky("api"), 7, false);
        let value = cookie.split(';').next().expect("a value").strip_prefix("at=").expect("the name");
        let check = |lines: &[&str], expected: Option<u64>| {
            let lines: Vec<String> = lines.iter().map(|line| line.replace("VALUE", value)).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(sticky("api").instance(&request(&lines)), expected.map(InstanceId), "{lines:?}");
        };
        check(&["at=VALUE"], Some(7));
        check(&["a=b; at=VALUE; c=d"], Some(7));
        check(&["a=b", "at=VALUE"], Some(7));
        check(&[], None);
        check(&["xat=VALUE"], None);
        check(&["atx=VALUE"], None);
        check(&["at=VALUE0"], None);
        check(&["at=+23456789abcdef0"], None);
        check(&["at="], None);
        check(&["at=\"VALUE\""], None);
    }

    #[test]
    fn the_cookie_is_careful() {
        assert!(set(&sticky("api"), 7, false).ends_with("; Path=/; HttpOnly; SameSite=Lax"));
        assert!(set(&sticky("api"), 7, true).ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"));
        let ttl = Some(std::time::Duration::from_secs(60));
        let short = Sticky::new(&model::Sticky { cookie: "at".to_owned(), ttl }, "api");
        assert!(set(&short, 7, false).ends_with("; SameSite=Lax; Max-Age=60"));
    }

    #[test]
    fn a_cookie_of_one_service_is_not_of_another() {
        let cookie = set(&sticky("api"), 7, false);
        let pair = cookie.split(';').next().expect("a value");
        assert_ne!(sticky("web").instance(&request(&[pair])), Some(InstanceId(7)));
    }

    proptest! {
        #[test]
        fn what_is_set_can_be_read(instance: u64) {
            let cookie = set(&sticky("api"), instance, false);
            let pair = cookie.split(';').next().expect("a value");
            prop_assert_eq!(sticky("api").instance(&request(&[pair])), Some(InstanceId(instance)));
        }
    }
}
