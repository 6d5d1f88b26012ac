//! A bar per phase on a terminal, a line per phase elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use veilgrid_party::event::Phase;

const PHASES: [(Phase, &str); 6] = [
    (Phase::Agree, "agree on the plan"),
    (Phase::Rows, "sum the rows"),
    (Phase::Share, "noise and share"),
    (Phase::Seal, "make it durable"),
    (Phase::Open, "open the noised sum"),
    (Phase::Report, "sign and report"),
];
/// Steps of a bar for each party.
const STEPS: u64 = 1000;

/// The progress of all parties.
pub(crate) struct Progress {
    bars: Option<(MultiProgress, Vec<ProgressBar>)>,
    /// Steps done, per phase and party.
    done: Vec<Vec<u64>>,
    quiet: bool,
}

impl Progress {
    /// For so many parties; `quiet` shows nothing.
    pub(crate) fn new(parties: usize, quiet: bool) -> Self {
        let bars = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix:>20} {bar:32.cyan/dim} {percent:>3}%")
                .expect("the template is good")
                .progress_chars("━╸─");
            let bar = |(_, name): &(Phase, &'static str)| {
                let bar = all.add(ProgressBar::new(STEPS * parties as u64).with_prefix(*name));
                bar.set_style(style.clone());
                bar.tick();
                bar
            };
            let bars = PHASES.iter().map(bar).collect();
            (all, bars)
        });
        Self { bars, done: vec![vec![0; parties]; PHASES.len()], quiet }
    }

    /// A party has done so much of a phase; a total of 0 is not known yet.
    pub(crate) fn update(&mut self, party: usize, phase: Phase, done: u64, total: u64) {
        let Some(index) = PHASES.iter().position(|(known, _)| *known == phase) else { return };
        // A party that is in a phase has all the phases before it behind it.
        for earlier in 0..index {
            self.set(party, earlier, STEPS);
        }
        let steps = u128::from(done.min(total)) * u128::from(STEPS) / u128::from(total.max(1));
        self.set(party, index, steps as u64);
    }

    fn set(&mut self, party: usize, phase: usize, steps: u64) {
        let parties = &mut self.done[phase];
        let all = STEPS * parties.len() as u64;
        let before: u64 = parties.iter().sum();
        parties[party] = parties[party].max(steps);
        let now: u64 = parties.iter().sum();
        if now == before {
            return;
        }
        match &self.bars {
            Some((_, bars)) => bars[phase].set_position(now),
            None if now == all && !self.quiet => self.line(&format!("{}: done", PHASES[phase].1)),
            None => {}
        }
    }

    /// Says something without breaking the bars.
    pub(crate) fn line(&self, text: &str) {
        match &self.bars {
            Some((all, _)) => drop(all.println(text)),
            // Nobody may be listening any more, and that is no reason to stop.
            None if !self.quiet => drop(writeln!(std::io::stderr(), "{text}")),
            None => {}
        }
    }

    /// Leaves the bars as they stand.
    pub(crate) fn finish(&self) {
        for bar in self.bars.iter().flat_map(|(_, bars)| bars) {
            bar.abandon();
        }
    }
}
