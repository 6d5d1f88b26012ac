//! Where figures stand in a plot: round ticks, and positions that hold for every `f64`.

use crate::table::digits::Digits;

/// A stretch of figures on a stretch of the plot.
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// Where the low and the high end are drawn.
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis that shows all the figures, widened where they are all but one.
    pub(super) fn of(figures: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let bounded = |x: f64| x.clamp(f64::MIN / 4.0, f64::MAX / 4.0);
        let ends = figures.filter(|x| !x.is_nan()).map(bounded);
        let (low, high) =
            ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let size = low.abs().max(high.abs());
        let least = if size < 1e-290 { 1.0 } else { size * 1e-9 };
        let (low, high) = if high - low < least {
            (low - size * 0.1 - least, high + size * 0.1 + least)
        } else {
            (low, high)
        };
        Self { low, high, from, to }
    }

    /// Some room beyond each end that is not zero.
    pub(super) fn roomy(self) -> Self {
        let room = (self.high - self.low) * 0.04;
        let low = if self.low == 0.0 { 0.0 } else { self.low - room };
        let high = if self.high == 0.0 { 0.0 } else { self.high + room };
        Self { low, high, ..self }
    }

    /// Where a figure is drawn; one beyond an end is drawn at the end.
    pub(super) fn at(&self, x: f64) -> f64 {
        let share = ((x.clamp(self.low, self.high)) - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// Round figures along the axis, about as many as asked, and how they are written.
    pub(super) fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        let step = step(self.high - self.low, about);
        let first = (self.low / step - 1e-9).ceil();
        let count = ((self.high / step + 1e-9).floor() - first).clamp(0.0, 64.0) as usize;
        let figures: Vec<f64> = (0..=count).map(|index| (first + index as f64) * step).collect();
        let digits = Digits::of_edges(&figures);
        figures.iter().map(|figure| (self.at(*figure), digits.trimmed(*figure))).collect()
    }
}

/// 1, 2 or 5 times a power of ten.
fn step(span: f64, about: usize) -> f64 {
    let raw = span / about.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= raw * 0.999);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis, about: usize) -> Vec<String> {
        axis.ticks(about).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            words(&Axis::of([0.0, 153.0].into_iter(), 0.0, 1.0).roomy(), 4),
            ["0", "50", "100", "150"]
        );
        assert_eq!(words(&Axis::of([11.27, 19.0].into_iter(), 0.0, 1.0), 4), ["12", "14", "16", "18"]);
        assert_eq!(words(&Axis::of([0.0024, 0.0067].into_iter(), 0.0, 1.0), 3), ["0.004", "0.006"]);
        assert_eq!(words(&Axis::of([-0.3, 0.3].into_iter(), 0.0, 1.0), 3), ["-0.2", "0", "0.2"]);
    }

    #[test]
    fn every_figure_has_a_place() {
        let far =
            [f64::MAX, f64::MIN, 0.0, 5e-324, -5e-324, 1.0, 1e300, f64::INFINITY, f64::NAN, 1e15 + 1.0, 1e15];
        for low in far {
            for high in far {
                let axis = Axis::of([low, high].into_iter(), 10.0, 90.0).roomy();
                for x in [low, high].into_iter().filter(|x| !x.is_nan()) {
                    assert!((10.0..=90.0).contains(&axis.at(x)), "{low} {high} {x}");
                }
                assert!(axis.ticks(4).len() < 12, "{low} {high}");
                assert!(axis.ticks(4).iter().all(|(at, _)| at.is_finite()), "{low} {high}");
            }
        }
        assert_eq!(words(&Axis::of([].into_iter(), 0.0, 1.0), 2), ["0", "0.5", "1"]);
    }
}
