//! What runs inside of Redis, so that it happens at once for all gateways.
//!
//! Scripts write after they asked for the time, which takes Redis 5 or later. Numbers pass through Lua as text: its own
//! are floating, and would be written in powers of ten.

/// Each by its place in [`Script::ALL`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Script {
    Note,
    Purge,
    PurgeAll,
    Take,
}

impl Script {
    pub(super) const ALL: [Self; 4] = [Self::Note, Self::Purge, Self::PurgeAll, Self::Take];

    pub(super) fn text(self) -> String {
        match self {
            Self::Note => format!("{SEQUENCE}{NOTE}"),
            Self::Purge => format!("{SEQUENCE}{PURGE}"),
            Self::PurgeAll => format!("{SEQUENCE}{PURGE_ALL}"),
            Self::Take => TAKE.to_owned(),
        }
    }
}

/// The sequence's life and last number, in `life` and `number`. Begun if it is not there, or no longer: under a new
/// name, ARGV[1], so that nothing of an earlier life counts; and at the time in microseconds, so that what is recorded
/// then is above what an earlier life left behind.
const SEQUENCE: &str = "
    local life, number = unpack(redis.call('HMGET', KEYS[1], 'e', 'n'))
    if not life or not number then
        local now = redis.call('TIME')
        life, number = ARGV[1], string.format('%.0f', now[1] * 1000000 + now[2])
        redis.call('HSET', KEYS[1], 'e', life, 'n', number)
    end
";

/// Gives tags, KEYS[2] on, that have no record one of the number reached now; those that have keep theirs for another
/// ARGV[2] seconds.
const NOTE: &str = "
    for at = 2, #KEYS do
        if not redis.call('SET', KEYS[at], number, 'EX', ARGV[2], 'NX') then
            redis.call('EXPIRE', KEYS[at], ARGV[2])
        end
    end
    return {life, number}
";

/// Takes the next number and records it with the tags, KEYS[2] on, for ARGV[2] seconds.
const PURGE: &str = "
    redis.call('HINCRBY', KEYS[1], 'n', 1)
    number = redis.call('HGET', KEYS[1], 'n')
    for at = 2, #KEYS do
        redis.call('SET', KEYS[at], number, 'EX', ARGV[2])
    end
    return {life, number}
";

/// Begins another life of the sequence.
const PURGE_ALL: &str = "
    redis.call('HINCRBY', KEYS[1], 'n', 1)
    redis.call('HSET', KEYS[1], 'e', ARGV[1])
    return {ARGV[1], redis.call('HGET', KEYS[1], 'n')}
";

/// Takes one request out of the bucket KEYS[1] of ARGV[2] requests, each of ARGV[1] ticks (see `buckets`), by the
/// generic cell rate algorithm. Returns whether it was there, ticks until the bucket is full, and ticks until one would
/// be there. Ticks since 2026 are whole numbers that Lua has exactly until 2097.
///
/// A clock set back would leave buckets emptier than empty: none is more than its span from being full.
const TAKE: &str = "
    local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
    local span = interval * burst
    local time = redis.call('TIME')
    local now = (time[1] - 1767225600) * 4000000 + time[2] * 4
    local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
    full_at = math.min(math.max(full_at, now), now + span)
    local after = full_at + interval
    if after - span > now then
        return {0, full_at - now, after - span - now}
    end
    redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 4000) + 1)
    return {1, after - now, 0}
";
