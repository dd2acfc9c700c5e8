//! Page tokens: where a listing goes on, for what, and until when.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;

/// As long as those of the real service.
const VALID: SignedDuration = SignedDuration::from_hours(2);

/// `scope` names what is listed, filter included; another one must not go on with this token.
pub(super) fn token(after: &str, scope: &str, now: Timestamp) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}\n{after}\n{scope}", now.as_second()))
}

/// Items of a page; 0 is as many as there may be, and so is more than that.
pub(super) fn size(asked: i32, max: usize) -> Result<usize, Fault> {
    let asked =
        usize::try_from(asked).map_err(|_negative| Fault::invalid("The page size cannot be negative."))?;
    Ok(if asked == 0 { max } else { asked.min(max) })
}

/// Where to go on; `None` for the first page.
pub(super) fn after(token: &str, scope: &str, now: Timestamp) -> Result<Option<String>, Fault> {
    if token.is_empty() {
        return Ok(None);
    }
    let (made_at, after, made_for) =
        parse(token).ok_or_else(|| Fault::invalid("The page token is not valid."))?;
    if made_for != scope {
        return Err(Fault::invalid("The page token was made for another request; do not change the filter."));
    }
    if now.duration_since(made_at) > VALID {
        return Err(Fault::invalid("The page token has expired; tokens are valid for 2 hours."));
    }
    Ok(Some(after))
}

fn parse(token: &str) -> Option<(Timestamp, String, String)> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '\n');
    let made_at = Timestamp::from_second(parts.next()?.parse().ok()?).ok()?;
    Some((made_at, parts.next()?.to_owned(), parts.next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_is_good_for_its_request_for_two_hours() {
        let made = Timestamp::UNIX_EPOCH;
        let good = token("a-name", "tasks of q", made);
        let check = |token: &str, scope, later: i64, expected: Option<Option<&str>>| {
            let found = after(token, scope, made + SignedDuration::from_secs(later)).ok();
            assert_eq!(found, expected.map(|after| after.map(str::to_owned)), "{token} {scope} {later}");
        };
        check("", "tasks of q", 0, Some(None));
        check(&good, "tasks of q", 7200, Some(Some("a-name")));
        check(&good, "tasks of q", 7201, None);
        check(&good, "tasks of p", 0, None);
        check("nonsense!", "tasks of q", 0, None);
        check("bm9uc2Vuc2U", "tasks of q", 0, None);
    }
}
