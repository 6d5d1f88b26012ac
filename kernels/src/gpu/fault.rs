//! Where the driver's complaints are kept until somebody asks: they arrive by callback, and must not panic.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first complaint since it was last taken, and whether the device is gone for good.
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    first: Option<String>,
    lost: Option<String>,
}

impl Fault {
    /// Hears everything that `device` complains about.
    pub(super) fn listen(device: &wgpu::Device) -> Fault {
        let fault = Fault::default();
        let heard = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error| heard.note(one_line(&error.to_string()))));
        let heard = fault.clone();
        device.set_device_lost_callback(move |_, message| heard.lose(&message));
        fault
    }

    /// Keeps a complaint, unless an earlier one is there, which is more likely the cause.
    pub(super) fn note(&self, problem: String) {
        self.state().first.get_or_insert(problem);
    }

    /// From now on every question is answered by this.
    pub(super) fn lose(&self, why: &str) {
        let why = one_line(why);
        let why = if why.is_empty() { "no reason given".to_owned() } else { why };
        self.state().lost.get_or_insert(format!("the device is lost ({why})"));
    }

    /// The first complaint since the last call; a lost device always has one.
    pub(super) fn take(&self) -> Option<String> {
        let mut state = self.state();
        let first = state.first.take();
        state.lost.clone().or(first)
    }

    /// Whether the device is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.state().lost.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_complaint_is_kept_until_taken_and_a_loss_for_ever() {
        let fault = Fault::default();
        assert_eq!(fault.take(), None);
        fault.note("first".to_owned());
        fault.note("second".to_owned());
        assert_eq!(fault.take().as_deref(), Some("first"));
        assert_eq!(fault.take(), None);
        assert!(!fault.is_lost());
        fault.lose("pulled\n  out");
        assert!(fault.is_lost());
        fault.note("third".to_owned());
        for _ in 0..2 {
            assert_eq!(fault.take().as_deref(), Some("the device is lost (pulled out)"));
        }
    }
}
