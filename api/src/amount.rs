//! Exact amounts of privacy: [`Epsilon`] in 1e-9 and [`Delta`] in 1e-18, as integers.
//!
//! Budgets add and compare amounts across crashes and machines, so they are never floats. A decimal that needs
//! more digits is rounded up: more privacy is charged than asked, never less.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A text that is not an amount of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number from 0 to {max} with at most {digits} digits after the point")]
pub struct AmountError {
    max: u64,
    digits: u32,
}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $digits:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Nothing at all.
            pub const ZERO: Self = Self(0);
            /// Units in one.
            pub const ONE: u64 = 10u64.pow($digits);
            /// The largest amount that is accepted.
            pub const MAX: Self = Self($max * Self::ONE);

            /// An amount in its smallest unit.
            pub const fn from_units(units: u64) -> Self {
                Self(units)
            }

            /// The amount in its smallest unit.
            pub const fn units(self) -> u64 {
                self.0
            }

            /// The sum, or `None` where it does not fit.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// What is left, nothing at the least.
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// The nearest amount that is not below `value`, or `None` where `value` is not from 0 to the maximum.
            ///
            /// The shortest decimal that reads back as `value` is taken at its word, so `0.1` is exactly a tenth.
            pub fn from_f64(value: f64) -> Option<Self> {
                if !value.is_finite() || value < 0.0 || value > $max as f64 {
                    return None;
                }
                // `Display` of a float is its shortest decimal and never uses an exponent.
                parse(&value.to_string(), $digits, $max, true).map(Self)
            }

            /// As a float, for display and derived figures only.
            pub fn to_f64(self) -> f64 {
                self.0 as f64 / Self::ONE as f64
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (whole, part) = (self.0 / Self::ONE, self.0 % Self::ONE);
                if part == 0 {
                    return write!(f, "{whole}");
                }
                let digits = format!("{part:0width$}", width = $digits);
                write!(f, "{whole}.{}", digits.trim_end_matches('0'))
            }
        }

        impl FromStr for $name {
            type Err = AmountError;

            fn from_str(text: &str) -> Result<Self, AmountError> {
                parse(text, $digits, $max, false)
                    .map(Self)
                    .ok_or(AmountError { max: $max, digits: $digits })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

amount! {
    /// An epsilon, exact in units of 1e-9, at most a million. Serialises as a decimal string.
    Epsilon, 9, 1_000_000
}
amount! {
    /// A delta, exact in units of 1e-18, at most one. Serialises as a decimal string.
    Delta, 18, 1
}

/// Reads `whole[.part]` into units of `10^-digits`; digits beyond that are an error or are rounded up.
fn parse(text: &str, digits: u32, max: u64, round_up: bool) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let (kept, beyond) = part.split_at(part.len().min(digits as usize));
    let excess = beyond.bytes().any(|b| b != b'0');
    if excess && !round_up {
        return None;
    }
    let scale = 10u64.pow(digits);
    let units = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let kept = format!("{kept:0<width$}", width = digits as usize).parse::<u64>().ok()?;
    let total = units.checked_add(kept)?.checked_add(u64::from(excess))?;
    (total <= max * scale).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_round_up() {
        assert_eq!(Epsilon::from_f64(0.1).unwrap().units(), 100_000_000);
        assert_eq!(Epsilon::from_f64(1.0000000001).unwrap().units(), 1_000_000_001);
        assert_eq!(Delta::from_f64(1e-12).unwrap().units(), 1_000_000);
        assert_eq!(Delta::from_f64(1e-30).unwrap().units(), 1);
        assert_eq!("1.5".parse::<Epsilon>().unwrap().to_string(), "1.5");
        assert_eq!(Epsilon::from_units(2_000_000_000).to_string(), "2");
    }

    #[test]
    fn anything_else_is_refused() {
        for value in [f64::NAN, f64::INFINITY, -0.5, 1e308] {
            assert_eq!(Epsilon::from_f64(value), None, "{value}");
        }
        for text in ["", ".", "1.", ".5", "-1", "1e3", "1_0", " 1", "1.0000000001", "1000001"] {
            assert!(text.parse::<Epsilon>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_round_trips(units in 0..=Epsilon::MAX.units()) {
            let amount = Epsilon::from_units(units);
            proptest::prop_assert_eq!(amount.to_string().parse::<Epsilon>().unwrap(), amount);
        }
    }
}
