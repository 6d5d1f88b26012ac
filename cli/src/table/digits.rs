//! Figures as text: no digit that the noise drowns, and no character that a terminal or a page would obey.

/// Figures of this size or more are written with an exponent.
const LARGE: i32 = 12;
/// The most digits after the point; smaller figures are written with an exponent.
const SMALL: i32 = 9;
/// Decimal digits that an `f64` holds for certain.
const PRECISION: i32 = 15;

/// How exactly a figure and its interval are written.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    /// The power of ten of the last digit.
    place: i32,
    /// Whether an exponent is written.
    scientific: bool,
    /// Nothing drowns a digit: all are written.
    exact: bool,
}

impl Digits {
    /// Two digits of the interval's half width; whole numbers have none after the point.
    pub(crate) fn of(value: f64, interval: [f64; 2], whole: bool) -> Self {
        let half_width = interval[1] / 2.0 - interval[0] / 2.0;
        let largest = value.abs().max(interval[0].abs()).max(interval[1].abs());
        let drowned = if half_width > 0.0 { order(half_width) - 1 } else { i32::MIN };
        Self::at(if whole { drowned.max(0) } else { drowned }, largest)
    }

    /// Three digits of the narrowest step between edges.
    pub(crate) fn of_edges(edges: &[f64]) -> Self {
        let steps = edges.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
        let narrowest = steps.fold(f64::INFINITY, f64::min);
        let largest = edges.iter().fold(0.0f64, |largest, edge| largest.max(edge.abs()));
        Self::at(if narrowest.is_finite() { order(narrowest) - 2 } else { i32::MIN }, largest)
    }

    fn at(place: i32, largest: f64) -> Self {
        let lead = if largest > 0.0 { order(largest) } else { 0 };
        let exact = place == i32::MIN;
        let place = place.max(lead - PRECISION + 1);
        let tiny = lead < -SMALL || (lead < -4 && place < -SMALL);
        Self { place, scientific: lead >= LARGE || tiny, exact }
    }

    /// The figure, rounded to the nearest.
    pub(crate) fn nearest(self, x: f64) -> String {
        grouped(&self.plain(x))
    }

    /// The lower end of an interval, rounded down.
    pub(crate) fn low(self, x: f64) -> String {
        let text = self.plain(x);
        let moved = text.parse::<f64>().is_ok_and(|read| read > x);
        grouped(&if moved { self.plain(x - 10f64.powi(self.place)) } else { text })
    }

    /// The upper end of an interval, rounded up.
    pub(crate) fn high(self, x: f64) -> String {
        let text = self.plain(x);
        let moved = text.parse::<f64>().is_ok_and(|read| read < x);
        grouped(&if moved { self.plain(x + 10f64.powi(self.place)) } else { text })
    }

    /// The figure without zeros at the end of its fraction.
    pub(crate) fn trimmed(self, x: f64) -> String {
        grouped(trim(&self.plain(x)))
    }

    fn plain(self, x: f64) -> String {
        let text = if !x.is_finite() {
            return x.to_string();
        } else if self.scientific && self.exact {
            format!("{x:e}")
        } else if self.scientific {
            let digits = (order(x) - self.place).clamp(0, PRECISION);
            let text = format!("{:.*e}", digits as usize, x);
            if x != 0.0 && order(x) < self.place { "0".into() } else { text }
        } else if self.place > 0 {
            let step = 10f64.powi(self.place);
            format!("{:.0}", (x / step).round() * step)
        } else {
            format!("{:.*}", self.place.unsigned_abs() as usize, x)
        };
        let zero = !text.bytes().take_while(|b| *b != b'e').any(|b| (b'1'..=b'9').contains(&b));
        let text = text.strip_prefix('-').filter(|_| zero).map(str::to_owned).unwrap_or(text);
        if self.exact { trim(&text).to_owned() } else { text }
    }
}

/// The power of ten of the first digit.
fn order(x: f64) -> i32 {
    if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 }
}

/// Without zeros at the end of the fraction of a mantissa.
fn trim(text: &str) -> &str {
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// With a comma after each three digits of the whole part.
fn grouped(text: &str) -> String {
    let whole = text.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(text.len());
    let mut grouped = String::with_capacity(text.len() + 4);
    for (index, c) in text.char_indices() {
        let follows_digit = grouped.ends_with(|c: char| c.is_ascii_digit());
        if index < whole && follows_digit && (whole - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

/// A share as a percentage, exact to a millionth of all.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", trim(&format!("{:.4}", share * 100.0)))
}

/// A name as it may be shown: characters that steer a terminal, or the direction of text, are replaced.
pub(crate) fn clean(name: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: f64, low: f64, high: f64, whole: bool) -> [String; 3] {
        let digits = Digits::of(value, [low, high], whole);
        [digits.nearest(value), digits.low(low), digits.high(high)]
    }

    #[test]
    fn digits_follow_the_interval() {
        for (value, low, high, whole, expected) in [
            (569.0, 557.0, 581.0, true, ["569", "557", "581"]),
            (569.0, 566.0, 572.0, true, ["569", "566", "572"]),
            (17.462_83, 17.314_9, 17.620_1, false, ["17.46", "17.31", "17.63"]),
            (373_012.437, 360_801.1, 385_223.8, false, ["373,000", "360,000", "386,000"]),
            (0.004_006_47, 0.003_712, 0.004_288, false, ["0.00401", "0.00371", "0.00429"]),
            (-0.001, -3.1, 3.2, false, ["0.0", "-3.1", "3.2"]),
            (-1234.0, -1240.0, -1228.0, true, ["-1,234", "-1,240", "-1,228"]),
            (12.5, 12.5, 12.5, false, ["12.5", "12.5", "12.5"]),
            (0.0, 0.0, 0.0, true, ["0", "0", "0"]),
        ] {
            assert_eq!(written(value, low, high, whole), expected);
        }
    }

    #[test]
    fn huge_and_tiny_figures_have_exponents() {
        assert_eq!(written(1.5e300, 1.2e300, 1.8e300, false), ["1.50e300", "1.20e300", "1.80e300"]);
        assert_eq!(written(4.56e-12, 4.1e-12, 5.04e-12, false), ["4.56e-12", "4.10e-12", "5.04e-12"]);
        assert_eq!(written(f64::MAX, f64::MIN, f64::MAX, false)[0], "1.8e308");
        for extreme in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -f64::MAX, 0.0] {
            assert!(written(extreme, -f64::MAX, f64::MAX, true).iter().all(|text| text.len() < 24));
            assert!(written(extreme, extreme, extreme, false).iter().all(|text| text.len() < 24));
        }
        assert_eq!(Digits::of(f64::INFINITY, [0.0, 1.0], false).nearest(f64::INFINITY), "inf");
    }

    #[test]
    fn ends_are_rounded_outwards() {
        for n in 0..2000 {
            let (low, high) =
                (f64::from(n) * 0.137 - 90.0, f64::from(n) * 0.137 + f64::from(n) * 0.01 - 89.9);
            let [_, l, h] = written(f64::midpoint(low, high), low, high, false);
            assert!(
                l.parse::<f64>().unwrap() <= low && high <= h.parse::<f64>().unwrap(),
                "{l} {low} {high} {h}"
            );
        }
    }

    #[test]
    fn edges_and_shares_are_short() {
        let edges = [0.0, 0.1, 0.299_999_237_060_546_9, 1500.0];
        assert_eq!(edges.map(|edge| Digits::of_edges(&edges).trimmed(edge)), ["0", "0.1", "0.3", "1,500"]);
        assert_eq!([0.25, 0.999, 1e-6, 1.0].map(percent), ["25 %", "99.9 %", "0.0001 %", "100 %"]);
        assert_eq!(Digits::of_edges(&[]).trimmed(2.0), "2");
    }

    #[test]
    fn names_do_not_steer() {
        assert_eq!(
            clean("a\u{1b}[2J\u{202e}\u{0}\nb Δ 患者"),
            "a\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}b Δ 患者"
        );
    }
}
