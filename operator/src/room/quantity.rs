//! Amounts as Kubernetes writes them, in thousandths.

/// Which way an amount between two thousandths goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// What is asked for.
    Up,
    /// What there is.
    Down,
}

/// `1.5Gi`, `100m`, `2`, `1e3`, in thousandths; nothing where it is no such text or past all measure.
pub(super) fn milli(text: &str, round: Round) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mantissa: i128 = [whole, fraction].concat().parse().ok()?;
    let mantissa = if text.starts_with('-') { mantissa.checked_neg()? } else { mantissa };
    // The value is mantissa * factor * 10^power.
    let (factor, power): (i128, i32) = match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => (1, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    let power = power.checked_add(3)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let ten = 10i128.checked_pow(power.unsigned_abs())?;
    let value = mantissa.checked_mul(factor)?;
    match (power >= 0, round) {
        (true, _) => value.checked_mul(ten),
        (false, Round::Down) => Some(value.div_euclid(ten)),
        (false, Round::Up) => Some(-(-value).div_euclid(ten)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("2", 2000),
            ("100m", 100),
            ("0.1", 100),
            ("1.5Gi", 3 << 29),
            ("128Mi", 128 << 20),
            ("1k", 1_000_000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("1E", 1_000_000_000_000_000_000_000),
            ("-1", -1000),
            ("1500u", 1),
        ] {
            let expected = if text.ends_with('i') { expected * 1000 } else { expected };
            assert_eq!(milli(text, Round::Down), Some(expected), "{text}");
        }
        assert_eq!(milli("1500u", Round::Up), Some(2));
        assert_eq!(milli("0.0001", Round::Up), Some(1));
        for text in ["", "m", "1.2.3", "1x", "1e", "--1", "1e999", "99999999999999999999999999999999999999Ei"]
        {
            assert_eq!(milli(text, Round::Up), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in ".*") {
            let (up, down) = (milli(&text, Round::Up), milli(&text, Round::Down));
            prop_assert_eq!(up.is_some(), down.is_some());
            prop_assert!(up.zip(down).is_none_or(|(up, down)| down <= up && up <= down + 1));
        }
    }
}
