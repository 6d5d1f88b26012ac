//! What a user sees of a job that is under way: a bar for each party on a terminal, a line for each change elsewhere.

use crate::{failure::Failure, output, table::digits::clean};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use veilgrid_api::{
    job::PrivateJob,
    status::{PartyPhase, PartyStatus, Phase},
};

/// Steps of a party's bar: approved, reserved, placed, run.
const STEPS: u64 = 4;

/// A job as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    /// `namespace/name`.
    job: String,
    phase: Phase,
    message: String,
    attempt: u32,
    parties: Vec<PartyStatus>,
}

impl View {
    /// Of a job as the cluster has it.
    pub(crate) fn of(key: &str, job: &PrivateJob) -> Self {
        let status = super::job::status(job);
        let parties = job.spec.parties.iter().map(|party| {
            // Before its pod is made a party has no status yet.
            let said = status.parties.iter().find(|said| said.name == party.name).cloned();
            said.unwrap_or_else(|| PartyStatus { name: party.name.clone(), ..PartyStatus::default() })
        });
        Self {
            job: key.to_owned(),
            phase: status.phase,
            message: status.message.clone(),
            attempt: status.attempt.max(1),
            parties: parties.collect(),
        }
    }

    fn head(&self) -> String {
        let attempt = if self.attempt > 1 { format!(", attempt {}", self.attempt) } else { String::new() };
        with(&format!("{}{attempt}: {:?}", self.job, self.phase), &self.message)
    }

    /// How far a party is, in [`STEPS`].
    fn step(&self, party: &PartyStatus) -> u64 {
        match (self.phase, party.phase) {
            (Phase::Succeeded | Phase::Delivering, _) | (_, PartyPhase::Succeeded) => STEPS,
            (_, PartyPhase::Running | PartyPhase::Failed) => 3,
            (Phase::Launching | Phase::Running | Phase::Failed, PartyPhase::Pending) => 2,
            (Phase::Reserving, _) => 1,
            (Phase::Pending | Phase::AwaitingApproval | Phase::Suspended, _) => 0,
        }
    }
}

/// `Running on cpu avx2: message`.
fn state(party: &PartyStatus) -> String {
    let device = if party.device.is_empty() { String::new() } else { format!(" on {}", party.device) };
    let code = party.exit_code.filter(|code| *code != 0).map(|code| format!(", exit code {code}"));
    with(&format!("{:?}{device}{}", party.phase, code.unwrap_or_default()), &party.message)
}

fn with(text: &str, message: &str) -> String {
    let colon = if message.is_empty() { "" } else { ": " };
    clean(&format!("{text}{colon}{message}"))
}

/// The lines that tell what changed since an earlier view; all of it where there is none.
fn changes(before: Option<&View>, now: &View) -> Vec<String> {
    let mut lines = Vec::new();
    if before.is_none_or(|before| before.head() != now.head()) {
        lines.push(now.head());
    }
    for (index, party) in now.parties.iter().enumerate() {
        let known = before
            .and_then(|before| before.parties.get(index))
            .map_or_else(|| state(&PartyStatus::default()), state);
        if known != state(party) {
            lines.push(format!("  {}: {}", clean(&party.name), state(party)));
        }
    }
    lines
}

/// Shows views one after the other.
pub(crate) struct Shown {
    way: Way,
    last: Option<View>,
    trouble: String,
}

enum Way {
    Bars(MultiProgress, Vec<ProgressBar>),
    Lines,
    Json,
}

impl Shown {
    /// Bars on a terminal, else lines; JSON where that is asked for.
    pub(crate) fn new(json: bool) -> Self {
        let way = match (json, io::stdout().is_terminal() && io::stderr().is_terminal()) {
            (true, _) => Way::Json,
            (false, true) => {
                Way::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), Vec::new())
            }
            (false, false) => Way::Lines,
        };
        Self { way, last: None, trouble: String::new() }
    }

    /// Shows what is new.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn show(&mut self, view: View) -> Result<(), Failure> {
        self.trouble.clear();
        if self.last.as_ref() == Some(&view) {
            return Ok(());
        }
        match &mut self.way {
            Way::Json => {
                let line = serde_json::to_string(&view).unwrap_or_default();
                output::say(&(line + "\n"))?;
            }
            Way::Lines => {
                let lines = changes(self.last.as_ref(), &view);
                output::say(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
            }
            Way::Bars(all, bars) => {
                if bars.is_empty() {
                    *bars = begin(all, view.parties.len());
                }
                bars[0].set_message(view.head());
                for (party, bar) in view.parties.iter().zip(&bars[1..]) {
                    bar.set_prefix(clean(&party.name));
                    bar.set_position(view.step(party));
                    bar.set_message(state(party));
                }
            }
        }
        self.last = Some(view);
        Ok(())
    }

    /// Says, once, why nothing is seen.
    pub(crate) fn nothing(&mut self, why: String) {
        if self.trouble != why {
            self.note(&format!("the cluster does not answer: {why}; waiting for it"));
            self.trouble = why;
        }
    }

    /// Says something beside the views.
    pub(crate) fn note(&self, text: &str) {
        match &self.way {
            Way::Bars(all, _) => drop(all.println(text)),
            // Nobody may be listening any more, and that is no reason to stop.
            Way::Lines | Way::Json => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    /// Leaves the bars as they stand.
    pub(crate) fn finish(&self) {
        if let Way::Bars(_, bars) = &self.way {
            bars.iter().for_each(ProgressBar::abandon);
        }
    }
}

/// A line for the job, and a bar for each party.
fn begin(all: &MultiProgress, parties: usize) -> Vec<ProgressBar> {
    let style = |template: &str| {
        ProgressStyle::with_template(template).expect("the template is good").progress_chars("━╸─")
    };
    let add = |template: &str| {
        let bar = all.add(ProgressBar::new(STEPS));
        bar.set_style(style(template));
        bar
    };
    let bars = (0..parties).map(|_| "{prefix:>20} {bar:16.cyan/dim} {wide_msg}");
    std::iter::once("{wide_msg}").chain(bars).map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(status: serde_json::Value) -> View {
        let job = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateJob", "metadata": {"name": "wards", "namespace": "research"},
            "spec": {
                "parties": [{"name": "north", "dataset": {"name": "a"}}, {"name": "south", "dataset": {"name": "b"}}],
                "privacy": {"epsilon": 1}, "computation": {"statistics": [{"name": "rows", "count": {}}]},
            },
            "status": status,
        });
        View::of("research/wards", &serde_json::from_value(job).unwrap())
    }

    fn party(name: &str, phase: &str, message: &str) -> serde_json::Value {
        json!({"name": name, "namespace": name, "phase": phase, "message": message, "device": if phase == "Succeeded" { "cpu avx2" } else { "" }})
    }

    #[test]
    fn each_change_is_a_line_and_nothing_else_is() {
        let new = view(json!({"phase": "AwaitingApproval", "message": "waits\u{1b} for north/c"}));
        assert_eq!(changes(None, &new), ["research/wards: AwaitingApproval: waits\u{fffd} for north/c"]);
        let running = |south: &str, message: &str| {
            view(json!({"phase": "Running", "attempt": 2, "message": "all run", "parties": [
                party("north", "Running", ""), party("south", south, message),
            ]}))
        };
        let first = running("Pending", "no node");
        assert_eq!(
            changes(Some(&new), &first),
            ["research/wards, attempt 2: Running: all run", "  north: Running", "  south: Pending: no node"]
        );
        assert_eq!(changes(Some(&first), &running("Succeeded", "")), ["  south: Succeeded on cpu avx2"]);
        assert!(changes(Some(&first), &first.clone()).is_empty());
    }

    #[test]
    fn a_bar_never_steps_back_on_the_way_to_the_result() {
        let of = |phase: &str, party_phase: &str| {
            let view = view(json!({"phase": phase, "parties": [party("north", party_phase, "")]}));
            view.step(&view.parties[0])
        };
        let way = [
            ("Pending", "Pending"),
            ("AwaitingApproval", "Pending"),
            ("Reserving", "Pending"),
            ("Launching", "Pending"),
            ("Running", "Pending"),
            ("Running", "Running"),
            ("Running", "Succeeded"),
            ("Succeeded", "Succeeded"),
        ];
        let steps: Vec<u64> = way.map(|(phase, party)| of(phase, party)).to_vec();
        assert_eq!(steps, [0, 0, 1, 2, 2, 3, 4, 4]);
    }
}
