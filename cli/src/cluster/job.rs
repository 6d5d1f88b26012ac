//! A job in a cluster: its name, how it is fetched, and how it ended.

use super::{Cluster, trouble};
use crate::{failure::Failure, table::digits::clean};
use kube::Api;
use std::str::FromStr;
use veilgrid_api::{
    condition,
    job::PrivateJob,
    status::{Phase, PrivateJobStatus},
};
use veilgrid_party::exit::Exit;

/// `NAME` or `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobName {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl FromStr for JobName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good = |part: &str| {
            let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
            let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            part.len() <= 253
                && part.bytes().all(known)
                && ends(part.bytes().next())
                && ends(part.bytes().last())
        };
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        if !good(name) || namespace.is_some_and(|namespace| !good(namespace)) {
            return Err("write NAME or NAMESPACE/NAME, as the cluster has it".into());
        }
        Ok(Self { namespace: namespace.map(str::to_owned), name: name.to_owned() })
    }
}

/// A job that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Meant {
    /// `namespace/name`.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `name -n namespace`, for advice to type.
    pub(crate) fn typed(&self) -> String {
        format!("{} -n {}", self.name, self.namespace)
    }
}

impl Cluster {
    /// The job that a name means here.
    pub(crate) fn meant(&self, name: &JobName) -> Meant {
        let namespace = name.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        Meant { namespace, name: name.name.clone() }
    }

    /// The jobs of its namespace.
    pub(crate) fn jobs(&self, of: &Meant) -> Api<PrivateJob> {
        self.api(&of.namespace)
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// It is not there, or the cluster does not give it.
    pub(crate) async fn job(&self, of: &Meant) -> Result<PrivateJob, Failure> {
        let doing = format!("get the PrivateJob {}", of.key());
        match self.jobs(of).get(&of.name).await {
            Ok(job) => Ok(job),
            Err(error) if trouble::is_missing(&error) => {
                let message = format!(
                    "there is no PrivateJob {}; `kubectl -n {} get privatejobs` lists those that are",
                    of.key(),
                    of.namespace
                );
                Err(Failure::new(Exit::Usage, message))
            }
            Err(error) => Err(trouble::failure(&error, &doing)),
        }
    }
}

/// The status of a job; that of one that nobody has looked at where there is none.
pub(crate) fn status(job: &PrivateJob) -> PrivateJobStatus {
    job.status.clone().unwrap_or_default()
}

/// How an ended job ended; `None` while it has not.
pub(crate) fn ended(key: &str, status: &PrivateJobStatus) -> Option<Result<(), Failure>> {
    match status.phase {
        Phase::Succeeded => Some(Ok(())),
        Phase::Failed => {
            let message = format!("{key} failed: {}", clean(&status.message));
            Some(Err(Failure { code: cause(status).code(), message }))
        }
        _ => None,
    }
}

/// The exit code of a failed job: that which `veilgrid run` would end with, where one is certain.
fn cause(status: &PrivateJobStatus) -> Exit {
    match condition::holds(&status.conditions, "Failed").map(|stated| stated.reason.as_str()) {
        Some("BudgetRefused") => Exit::BudgetRefused,
        Some("PartyFailed") => {
            let codes: Vec<i32> = status.parties.iter().filter_map(|party| party.exit_code).collect();
            // A party that lost its peers or was told to stop only tells of another's trouble.
            let first = codes.iter().find(|code| ![0, 5, 9].contains(*code));
            let first = first.or_else(|| codes.iter().find(|code| **code == 5));
            first
                .filter(|code| (2..=7).contains(*code))
                .and_then(|code| Exit::of(*code))
                .unwrap_or(Exit::NoResult)
        }
        _ => Exit::NoResult,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_is_named_with_or_without_its_namespace() {
        let of = |text: &str| text.parse::<JobName>().map(|name| (name.namespace, name.name));
        assert_eq!(of("hospitals"), Ok((None, "hospitals".into())));
        assert_eq!(of("research/hospitals"), Ok((Some("research".into()), "hospitals".into())));
        for wrong in ["", "/x", "x/", "a/b/c", "Job", "a b", "../x"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    fn failed(reason: &str, codes: &[Option<i32>]) -> u8 {
        let party = |(index, code): (usize, &Option<i32>)| json!({"name": format!("p{index}"), "namespace": "n", "phase": "Failed", "exitCode": code});
        let parties: Vec<_> = codes.iter().enumerate().map(party).collect();
        let status = json!({"phase": "Failed", "message": "why", "parties": parties, "conditions": [{
            "type": "Failed", "status": "True", "reason": reason, "message": "why", "observedGeneration": 1, "lastTransitionTime": "",
        }]});
        let status: PrivateJobStatus = serde_json::from_value(status).unwrap();
        let failure = ended("a/b", &status).unwrap().unwrap_err();
        assert_eq!(failure.message, "a/b failed: why");
        failure.code
    }

    #[test]
    fn a_failed_job_ends_with_the_code_of_its_cause() {
        assert_eq!(failed("BudgetRefused", &[None, None]), 3);
        assert_eq!(failed("PartyFailed", &[Some(5), Some(9), Some(4)]), 4);
        assert_eq!(failed("PartyFailed", &[Some(5), Some(9)]), 5);
        assert_eq!(failed("PartyFailed", &[Some(137), Some(5)]), 12, "a signal is no documented code");
        assert_eq!(failed("PartyFailed", &[Some(10), Some(0)]), 12, "nobody can resume a pod");
        assert_eq!(failed("DeadlineExceeded", &[Some(4)]), 12);
        assert!(ended("a/b", &PrivateJobStatus::default()).is_none());
        let done = PrivateJobStatus { phase: Phase::Succeeded, ..PrivateJobStatus::default() };
        assert!(ended("a/b", &done).unwrap().is_ok());
    }
}
