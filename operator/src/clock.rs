//! Time, to the second: what objects in a cluster are dated with.

use k8s_openapi::jiff::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Seconds since then, in seconds since 1970; 0 for a time that is still to come.
pub fn since(then: i64) -> u64 {
    u64::try_from(now().as_second() - then).unwrap_or(0)
}

/// A time that an object says, in seconds since 1970.
pub fn read(text: &str) -> Option<i64> {
    Some(text.parse::<Timestamp>().ok()?.as_second())
}
