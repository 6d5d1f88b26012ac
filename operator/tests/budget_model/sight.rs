//! What the operator makes of a party's Job and pod: its own functions, asked once for each case.

use crate::{
    config::{Broken, Config},
    world::{Fate, PartyJob, Shown},
};
use serde_json::json;
use std::{collections::HashMap, sync::LazyLock};
use veilgrid_api::{claim::Outcome, status::PartyPhase};
use veilgrid_operator::{
    job::observe::{Sight, observe},
    party::{PartyJob as KeptJob, PartyPod},
};

/// A pod as a cache saw it last, and whether it is there still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    pub(crate) last: Shown,
    pub(crate) there: bool,
    /// The uid of its Job.
    pub(crate) of: u8,
}

impl Memory {
    /// What is remembered when the pod is shown like this.
    pub(crate) fn seeing(self, shown: Shown, of: u8) -> Self {
        match shown {
            Shown::Never | Shown::Gone => Self { there: false, ..self },
            last => Self { last, there: true, of },
        }
    }
}

static SIGHTS: LazyLock<HashMap<(PartyJob, Memory, bool), Sight>> = LazyLock::new(|| {
    let mut sights = HashMap::new();
    for job in [PartyJob::Absent, PartyJob::There, PartyJob::Failed] {
        let words = [Shown::Done, Shown::Certain, Shown::Unlooked, Shown::NeverMade];
        for last in [Shown::Never, Shown::Pending, Shown::Running].into_iter().chain(words) {
            for there in [false, true] {
                let seen = pod(last);
                let seen = observe(party_job(job).as_ref(), seen.as_ref().map(|pod| (pod, there)));
                sights.insert((job, Memory { last, there, of: 0 }, false), seen.clone());
                sights.insert((job, Memory { last, there, of: 0 }, true), Sight { resumed: true, ..seen });
            }
        }
    }
    sights
});

fn party_job(job: PartyJob) -> Option<KeptJob> {
    let conditions = match job {
        PartyJob::Absent => return None,
        PartyJob::There => json!([]),
        PartyJob::Failed => json!([{"type": "Failed", "status": "True"}]),
    };
    Some(serde_json::from_value(json!({"status": {"conditions": conditions}})).expect("a Job"))
}

fn pod(shown: Shown) -> Option<PartyPod> {
    let (phase, state) = match shown {
        Shown::Never | Shown::Gone => return None,
        Shown::Pending => ("Pending", json!({"waiting": {"reason": "ContainerCreating"}})),
        Shown::Running => ("Running", json!({"running": {}})),
        Shown::Done => ("Succeeded", json!({"terminated": {"exitCode": 0}})),
        Shown::Certain => ("Failed", json!({"terminated": {"exitCode": 4}})),
        Shown::Unlooked => ("Failed", json!({"terminated": {"exitCode": 2}})),
        Shown::NeverMade => {
            ("Failed", json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}))
        }
    };
    let container = json!({"name": "party", "state": state, "ready": false, "restartCount": 0, "image": "", "imageID": ""});
    let pod = json!({"metadata": {"name": "pod"}, "spec": {"containers": [], "nodeName": "node"}, "status": {"phase": phase, "containerStatuses": [container]}});
    Some(serde_json::from_value(pod).expect("a Pod"))
}

/// How a party stands.
#[derive(Clone, Copy)]
pub(crate) struct Stand(&'static Sight);

pub(crate) fn stand(job: PartyJob, memory: Memory, resumed: bool) -> Stand {
    Stand(&SIGHTS[&(job, Memory { of: 0, ..memory }, resumed)])
}

impl Stand {
    pub(crate) fn has_succeeded(self) -> bool {
        self.0.phase == PartyPhase::Succeeded
    }

    pub(crate) fn has_ended(self) -> bool {
        self.0.has_ended()
    }

    pub(crate) fn is_trouble(self) -> bool {
        self.0.phase == PartyPhase::Failed || self.0.stuck || self.0.lost
    }

    pub(crate) fn is_lost(self) -> bool {
        self.0.lost
    }

    /// As `equip` in launch.rs has it.
    pub(crate) fn waits(self) -> bool {
        self.is_alive() && self.0.never_started
    }

    /// As `interrupted` in reconcile.rs has it.
    pub(crate) fn is_alive(self) -> bool {
        !self.0.has_ended() && !self.0.lost
    }

    pub(crate) fn may_be_taken_up(self) -> bool {
        self.0.may_be_taken_up()
    }

    pub(crate) fn has_pod(self) -> bool {
        self.0.pod.is_some()
    }

    pub(crate) fn fate(self, others_ended: bool, config: &Config) -> Fate {
        if config.lacks(Broken::SilentRelease) && self.0.exit_code.is_none() {
            return Fate::Released;
        }
        if config.lacks(Broken::WaitingGone)
            && self.0.gone
            && self.0.exit_code.is_none()
            && self.0.message == "its pod is gone"
        {
            return Fate::Released;
        }
        match self.0.outcome(others_ended) {
            Outcome::Spent => Fate::Spent,
            Outcome::Released => Fate::Released,
            Outcome::Refused => Fate::Refused,
        }
    }
}
