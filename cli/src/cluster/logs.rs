//! The logs of a job's pods, party by party.

use super::{
    Cluster,
    job::{JobName, Meant},
    trouble,
};
use crate::{failure::Failure, output, table::digits::clean};
use futures::{AsyncBufReadExt, TryStreamExt, future};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    time::Duration,
};
use tokio::time::sleep;
use veilgrid_api::{
    job::PrivateJob,
    labels::{ATTEMPT, CONTAINER, JOB, JOB_NAMESPACE, JOB_UID, PARTY, ROLE},
};

/// How often pods that are not there yet are looked for.
const AGAIN: Duration = Duration::from_secs(1);

/// Pods whose logs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Speaker {
    /// The party; empty where all of a namespace are meant.
    pub(crate) party: String,
    pub(crate) namespace: String,
    /// What their labels are.
    labels: String,
}

/// The parties of a job, or the one that is named; `None` where there is none of that name.
pub(crate) fn speakers(job: &PrivateJob, home: &str, party: Option<&str>) -> Option<Vec<Speaker>> {
    let uid = job.metadata.uid.as_deref().unwrap_or_default();
    let all = job.spec.parties.iter().map(|of| Speaker {
        party: of.name.clone(),
        namespace: of.dataset.namespace_from(home).to_owned(),
        labels: format!("{ROLE}=party,{JOB_UID}={uid},{PARTY}={}", of.name),
    });
    let found: Vec<Speaker> = all.filter(|of| party.is_none_or(|party| party == of.party)).collect();
    (!found.is_empty()).then_some(found)
}

/// The parties of a job in one namespace, for who may not see the job itself.
pub(crate) fn unseen(job: &JobName, namespace: &str, party: Option<&str>) -> Speaker {
    // A label's value has at most 63 characters.
    let short =
        |text: &str| text.chars().take(63).collect::<String>().trim_end_matches(['-', '.']).to_owned();
    let mut labels = format!("{ROLE}=party,{JOB}={}", short(&job.name));
    for (label, value) in [(JOB_NAMESPACE, job.namespace.as_deref()), (PARTY, party)] {
        if let Some(value) = value {
            labels += &format!(",{label}={}", short(value));
        }
    }
    Speaker { party: party.unwrap_or_default().to_owned(), namespace: namespace.to_owned(), labels }
}

/// What came of the wish to read a party's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was read.
    Read,
    /// It has no pod.
    NoPod,
    /// The user may not.
    Denied,
}

/// Reads the logs of a job's parties.
pub(crate) struct Logs<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) of: &'a Meant,
    /// The job's uid; `None` where the user may not see it.
    pub(crate) uid: Option<&'a str>,
    /// Also what comes, until the job has ended.
    pub(crate) follow: bool,
    /// Each line begins with the party's name.
    pub(crate) named: bool,
}

impl Logs<'_> {
    /// The logs of these parties: one after the other, or all at once where they are followed.
    ///
    /// # Errors
    /// The first trouble that is no matter of rights.
    pub(crate) async fn read(&self, speakers: &[Speaker]) -> Result<Vec<Heard>, Failure> {
        if self.follow {
            return future::try_join_all(speakers.iter().map(|of| self.follow(of))).await;
        }
        let mut heard = Vec::new();
        for of in speakers {
            heard.push(match self.pods(of).await? {
                None => Heard::Denied,
                Some(pods) if pods.is_empty() => Heard::NoPod,
                Some(pods) => self.tell(of, &pods).await?,
            });
        }
        Ok(heard)
    }

    async fn tell(&self, of: &Speaker, pods: &[Pod]) -> Result<Heard, Failure> {
        let mut heard = Heard::NoPod;
        for pod in pods.iter().filter(|pod| has_started(pod)) {
            if !self.stream(of, pod, false).await? {
                return Ok(Heard::Denied);
            }
            heard = Heard::Read;
        }
        Ok(heard)
    }

    /// A party's logs until the job has ended, those of later attempts too.
    async fn follow(&self, of: &Speaker) -> Result<Heard, Failure> {
        let mut seen = BTreeSet::new();
        loop {
            // Asked for first: what is there when the job has ended is all there will be.
            let ended = match self.uid {
                Some(uid) => self.has_ended(uid).await?,
                None => !seen.is_empty(),
            };
            let Some(pods) = self.pods(of).await? else { return Ok(Heard::Denied) };
            let fresh: Vec<&Pod> =
                pods.iter().filter(|pod| has_started(pod) && !seen.contains(&pod.name_any())).collect();
            for pod in &fresh {
                seen.insert(pod.name_any());
                if !self.stream(of, pod, true).await? {
                    return Ok(Heard::Denied);
                }
            }
            if ended && fresh.is_empty() {
                return Ok(if seen.is_empty() { Heard::NoPod } else { Heard::Read });
            }
            if fresh.is_empty() {
                sleep(AGAIN).await;
            }
        }
    }

    async fn has_ended(&self, uid: &str) -> Result<bool, Failure> {
        match self.cluster.jobs(self.of).get(&self.of.name).await {
            Ok(job) => {
                Ok(job.metadata.uid.as_deref() != Some(uid) || super::job::status(&job).phase.has_ended())
            }
            Err(error) if trouble::is_missing(&error) => Ok(true),
            Err(error) => Err(trouble::failure(&error, &format!("get the PrivateJob {}", self.of.key()))),
        }
    }

    /// A party's pods, the earlier attempts first; `None` where the user may not see them.
    pub(crate) async fn pods(&self, of: &Speaker) -> Result<Option<Vec<Pod>>, Failure> {
        let api: Api<Pod> = self.cluster.api(&of.namespace);
        match api.list(&ListParams::default().labels(&of.labels)).await {
            Ok(list) => {
                let mut pods = list.items;
                pods.sort_by_key(|pod| {
                    pod.labels().get(ATTEMPT).and_then(|attempt| attempt.parse::<u32>().ok())
                });
                Ok(Some(pods))
            }
            Err(error) if trouble::is_forbidden(&error) => Ok(None),
            Err(error) => Err(trouble::failure(&error, &format!("list the pods of {}", of.namespace))),
        }
    }

    /// Prints a pod's log; false where the user may not read it.
    async fn stream(&self, of: &Speaker, pod: &Pod, follow: bool) -> Result<bool, Failure> {
        let party = pod.labels().get(PARTY).cloned().unwrap_or_default();
        let pod = pod.name_any();
        let api: Api<Pod> = self.cluster.api(&of.namespace);
        let params = LogParams { container: Some(CONTAINER.into()), follow, ..LogParams::default() };
        let doing = format!("read the log of {}/{pod}", of.namespace);
        let failed = |error: &dyn std::error::Error| {
            let message = format!("cannot {doing} to its end: {}; run it again", trouble::root(error));
            Failure::new(veilgrid_party::exit::Exit::Cluster, message)
        };
        let log = match api.log_stream(&pod, &params).await {
            Ok(log) => log,
            Err(error) if trouble::is_forbidden(&error) => return Ok(false),
            // It went while it was looked for.
            Err(error) if trouble::is_missing(&error) => return Ok(true),
            Err(error) => return Err(trouble::failure(&error, &doing)),
        };
        let mut lines = log.lines();
        while let Some(line) = lines.try_next().await.map_err(|error| failed(&error))? {
            let name = if self.named { format!("{party} | ") } else { String::new() };
            let text = format!("{}{}\n", clean(&name), clean(&line));
            if !output::say_bytes(&mut io::stdout().lock(), text.as_bytes())? {
                return Ok(true);
            }
        }
        Ok(true)
    }
}

/// Whether a pod's container has run: before that it has no log, and asking for one is an error.
fn has_started(pod: &Pod) -> bool {
    let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let state = |of: &k8s_openapi::api::core::v1::ContainerStatus| {
        of.name == CONTAINER
            && of.state.as_ref().is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    };
    containers.into_iter().any(state)
}

/// Says beside the logs what cannot be read.
pub(crate) fn note(text: &str) {
    // Nobody may be listening any more, and that is no reason to stop.
    drop(writeln!(io::stderr(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_has_a_log_when_its_container_has_run() {
        let pod = |state: serde_json::Value| -> Pod {
            let status = json!({"name": "party", "state": state, "ready": false, "restartCount": 0, "image": "", "imageID": ""});
            serde_json::from_value(
                json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}}),
            )
            .unwrap()
        };
        assert!(has_started(&pod(json!({"running": {}}))));
        assert!(has_started(&pod(json!({"terminated": {"exitCode": 0}}))));
        assert!(!has_started(&pod(json!({"waiting": {}}))) && !has_started(&Pod::default()));
    }

    #[test]
    fn parties_are_told_with_their_namespaces() {
        let job = json!({
            "metadata": {"name": "a"},
            "spec": {"parties": [{"name": "north", "dataset": {"name": "x", "namespace": "n"}}, {"name": "own", "dataset": {"name": "y"}}],
                "privacy": {"epsilon": 1}, "computation": {}},
        });
        let job: PrivateJob = serde_json::from_value(job).unwrap();
        let of = |party: Option<&str>| {
            let found = speakers(&job, "research", party)?;
            Some(
                found
                    .into_iter()
                    .map(|of| format!("{}@{}", of.party, of.namespace))
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        assert_eq!(of(None).as_deref(), Some("north@n own@research"));
        assert_eq!(of(Some("own")).as_deref(), Some("own@research"));
        assert_eq!(of(Some("west")), None);
        let name = "research/hospitals".parse().unwrap();
        assert_eq!(
            unseen(&name, "north", Some("a")).labels,
            "veilgrid.dev/role=party,veilgrid.dev/job=hospitals,veilgrid.dev/job-namespace=research,veilgrid.dev/party=a"
        );
    }
}
