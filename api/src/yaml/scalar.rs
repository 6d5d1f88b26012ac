//! What a plain scalar means.

use super::Tree;
use serde_json::Number;

/// Resolves a plain (unquoted) scalar.
pub(super) fn resolve(text: &str) -> Tree {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Tree::Null,
        "true" | "True" | "TRUE" => return Tree::Bool(true),
        "false" | "False" | "FALSE" => return Tree::Bool(false),
        _ => {}
    }
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&bare) {
        return Tree::NotFinite;
    }
    if is_odd_word(text) {
        return Tree::Odd(text.to_owned());
    }
    if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') || bare == "." {
        return Tree::Text(text.to_owned());
    }
    if is_decimal(bare) {
        return number(text);
    }
    if is_odd_number(bare) { Tree::Odd(text.to_owned()) } else { Tree::Text(text.to_owned()) }
}

/// The truth values of YAML 1.1 that YAML 1.2 dropped. `kubectl` still knows them.
fn is_odd_word(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    // Lower, Title and UPPER case count; `yEs` is a word like any other.
    let rest = text.get(1..).unwrap_or_default();
    let cased = rest.bytes().all(|b| b.is_ascii_lowercase()) || text.bytes().all(|b| b.is_ascii_uppercase());
    cased && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Digits, perhaps a point and an exponent, and no leading zero that some take for octal.
fn is_decimal(bare: &str) -> bool {
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    let octal = exponent.is_none() && !mantissa.contains('.') && whole.len() > 1 && whole.starts_with('0');
    digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()) && exponent_fits && !octal
}

/// Hexadecimal, octal, binary, underscored: numbers to some readers and text to others.
fn is_odd_number(bare: &str) -> bool {
    let prefixed = ["0x", "0o", "0b"].iter().any(|prefix| bare.starts_with(prefix));
    prefixed || bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.' | b',' | b':'))
}

fn number(text: &str) -> Tree {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if let Ok(value) = unsigned.parse::<i64>() {
        return Tree::Number(value.into());
    }
    if let Ok(value) = unsigned.parse::<u64>() {
        return Tree::Number(value.into());
    }
    match unsigned.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(value) => Tree::Number(value),
        None => Tree::NotFinite,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_kubernetes_reads() {
        for text in ["0", "-7", "+7", "1.5", ".5", "5.", "1e-9", "1E3", "18446744073709551615", "0.10"] {
            assert!(matches!(resolve(text), Tree::Number(_)), "{text}");
        }
        for text in ["y", "No", "YES", "on", "Off", "010", "0x1F", "0o7", "1_000", "1:30"] {
            assert!(matches!(resolve(text), Tree::Odd(_)), "{text}");
        }
        for text in ["M", "yEs", "1.2.3x", "2024-01-01", "3rd", "-", ".", "nan", "inf", "e5", "1e", "a.csv"] {
            assert!(matches!(resolve(text), Tree::Text(_)), "{text}");
        }
        for text in [".nan", "-.inf", "1e999", ".INF"] {
            assert_eq!(resolve(text), Tree::NotFinite, "{text}");
        }
        assert_eq!(resolve("~"), Tree::Null);
        assert_eq!(resolve("True"), Tree::Bool(true));
    }
}
