//! Whom a change concerns, so that no change makes anybody search through all objects.

use crate::{claim::is_open, keeper::is_held};
use kube::{Resource, ResourceExt, runtime::reflector::ObjectRef};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use veilgrid_api::{budget::PrivacyBudget, claim::PrivacyClaim, dataset::PrivateDataset, job::PrivateJob};

/// What was seen of jobs, claims, budgets and datasets, as far as others depend on it.
#[derive(Default)]
pub struct Index(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// Names of the open claims on each budget.
    open: HashMap<ObjectRef<PrivacyBudget>, HashSet<String>>,
    budgets: HashMap<ObjectRef<PrivacyBudget>, Budget>,
    datasets: HashMap<ObjectRef<PrivateDataset>, Dataset>,
    /// The datasets that each budget guards.
    guarded: Sets<PrivacyBudget, PrivateDataset>,
    /// The datasets that each job names which has not ended.
    names: Sets<PrivateJob, PrivateDataset>,
    /// The same the other way round.
    named_by: Sets<PrivateDataset, PrivateJob>,
}

/// For an object those of another kind that belong to it; none is empty.
type Sets<Of, Member> = HashMap<ObjectRef<Of>, HashSet<ObjectRef<Member>>>;

fn add<Of, Member>(sets: &mut Sets<Of, Member>, of: ObjectRef<Of>, member: ObjectRef<Member>)
where
    Of: Resource<DynamicType = ()>,
    Member: Resource<DynamicType = ()>,
{
    sets.entry(of).or_default().insert(member);
}

fn remove<Of, Member>(sets: &mut Sets<Of, Member>, of: &ObjectRef<Of>, member: &ObjectRef<Member>)
where
    Of: Resource<DynamicType = ()>,
    Member: Resource<DynamicType = ()>,
{
    if let Some(set) = sets.get_mut(of) {
        set.remove(member);
        if set.is_empty() {
            sets.remove(of);
        }
    }
}

/// The object and its spec: uid and generation.
type Version = (Option<String>, Option<i64>);

#[derive(PartialEq)]
struct Dataset {
    version: Version,
    /// It is held while jobs use it.
    is_held: bool,
    budget: ObjectRef<PrivacyBudget>,
}

struct Budget {
    version: Version,
    /// Uids of the claims that it holds.
    held: HashSet<String>,
}

/// What a budget's change means for jobs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BudgetNews {
    /// It is new, gone or has another spec: all jobs that name it look again.
    pub is_anew: bool,
    /// Names of the claims that it holds since.
    pub reserved: Vec<String>,
}

impl Index {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claim was seen, or is gone.
    pub fn claim(&self, claim: &PrivacyClaim, is_there: bool) {
        let budget = budget_of(claim);
        let mut seen = self.lock();
        if is_there && is_open(claim) {
            seen.open.entry(budget).or_default().insert(claim.name_any());
        } else if let Some(open) = seen.open.get_mut(&budget) {
            open.remove(&claim.name_any());
            if open.is_empty() {
                seen.open.remove(&budget);
            }
        }
    }

    /// Names of the open claims on a budget.
    pub fn open_claims(&self, budget: &ObjectRef<PrivacyBudget>) -> Vec<String> {
        self.lock().open.get(budget).map(|open| open.iter().cloned().collect()).unwrap_or_default()
    }

    /// A budget was seen, or is gone.
    pub fn budget(&self, budget: &PrivacyBudget, is_there: bool) -> BudgetNews {
        let name = ObjectRef::from_obj(budget);
        let mut seen = self.lock();
        if !is_there {
            seen.budgets.remove(&name);
            return BudgetNews { is_anew: true, reserved: Vec::new() };
        }
        let reservations = budget.status.iter().flat_map(|status| &status.reservations);
        let version = (budget.uid(), budget.metadata.generation);
        let before = seen.budgets.get(&name);
        let is_new = |uid: &String| before.is_none_or(|before| !before.held.contains(uid));
        let news = BudgetNews {
            is_anew: before.is_none_or(|before| before.version != version),
            reserved: reservations
                .clone()
                .filter(|held| is_new(&held.uid))
                .map(|held| held.claim.clone())
                .collect(),
        };
        let held = reservations.map(|held| held.uid.clone()).collect();
        seen.budgets.insert(name, Budget { version, held });
        news
    }

    /// A dataset was seen, or is gone. True where jobs that name it look again.
    pub fn dataset(&self, dataset: &PrivateDataset, is_there: bool) -> bool {
        let name = ObjectRef::from_obj(dataset);
        let budget = ObjectRef::new(&dataset.spec.budget).within(&dataset.namespace().unwrap_or_default());
        let version = (dataset.uid(), dataset.metadata.generation);
        let mut seen = self.lock();
        let before = seen.datasets.remove(&name);
        if let Some(before) = &before {
            remove(&mut seen.guarded, &before.budget, &name);
        }
        if !is_there {
            return before.is_some();
        }
        add(&mut seen.guarded, budget.clone(), name.clone());
        let now = Dataset { version, is_held: is_held(dataset), budget };
        let is_news = before.is_none_or(|before| before != now);
        seen.datasets.insert(name, now);
        is_news
    }

    /// A job was seen, or is gone. One that has ended counts no more.
    pub fn job(&self, job: &PrivateJob, is_there: bool) {
        let name = ObjectRef::from_obj(job);
        let has_ended = job.status.as_ref().is_some_and(|status| status.phase.has_ended());
        let home = job.metadata.namespace.as_deref().unwrap_or_default();
        let datasets = job.spec.parties.iter().map(|party| &party.dataset);
        let datasets: HashSet<_> = datasets
            .filter(|_| is_there && !has_ended)
            .map(|dataset| ObjectRef::new(&dataset.name).within(dataset.namespace_from(home)))
            .collect();
        let mut seen = self.lock();
        for dataset in seen.names.remove(&name).unwrap_or_default() {
            remove(&mut seen.named_by, &dataset, &name);
        }
        if datasets.is_empty() {
            return;
        }
        for dataset in &datasets {
            add(&mut seen.named_by, dataset.clone(), name.clone());
        }
        seen.names.insert(name, datasets);
    }

    /// The jobs that have not ended and name the dataset.
    pub fn jobs_of_dataset(&self, dataset: &ObjectRef<PrivateDataset>) -> Vec<ObjectRef<PrivateJob>> {
        self.lock().named_by.get(dataset).into_iter().flatten().cloned().collect()
    }

    /// Whether there is such a job.
    pub fn is_named(&self, dataset: &ObjectRef<PrivateDataset>) -> bool {
        self.lock().named_by.contains_key(dataset)
    }

    /// The jobs that have not ended and name a dataset which the budget guards.
    pub fn jobs_of_budget(&self, budget: &ObjectRef<PrivacyBudget>) -> Vec<ObjectRef<PrivateJob>> {
        let seen = self.lock();
        let datasets = seen.guarded.get(budget).into_iter().flatten();
        datasets.filter_map(|dataset| seen.named_by.get(dataset)).flatten().cloned().collect()
    }
}

/// The budget that a claim asks.
pub fn budget_of(claim: &PrivacyClaim) -> ObjectRef<PrivacyBudget> {
    ObjectRef::new(&claim.spec.budget).within(claim.metadata.namespace.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn budget(generation: i64, held: &[&str]) -> PrivacyBudget {
        let held: Vec<_> = held.iter().map(|claim| format!("uid-of-{claim} {claim} 1 0")).collect();
        let budget = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivacyBudget",
            "metadata": {"name": "b", "namespace": "north", "uid": "u", "generation": generation},
            "spec": {"epsilon": 1},
            "status": {"reservations": held},
        });
        serde_json::from_value(budget).unwrap()
    }

    fn claim(name: &str, outcome: Option<&str>) -> PrivacyClaim {
        let claim = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivacyClaim",
            "metadata": {"name": name, "namespace": "north"},
            "spec": {
                "job": {"namespace": "research", "name": "j", "uid": "u"}, "party": "p", "dataset": "d", "budget": "b",
                "run": "0".repeat(32), "plan": "0".repeat(64), "epsilon": "1", "delta": "0",
            },
            "status": {"outcome": outcome},
        });
        serde_json::from_value(claim).unwrap()
    }

    #[test]
    fn a_budget_wakes_those_whose_claims_it_holds_since() {
        let index = Index::default();
        let news = |is_anew: bool, claims: &[&str]| BudgetNews {
            is_anew,
            reserved: claims.iter().map(|claim| (*claim).to_owned()).collect(),
        };
        assert_eq!(index.budget(&budget(1, &["x"]), true), news(true, &["x"]));
        assert_eq!(index.budget(&budget(1, &["x", "y"]), true), news(false, &["y"]));
        assert_eq!(index.budget(&budget(1, &["y"]), true), news(false, &[]));
        assert_eq!(index.budget(&budget(2, &["y"]), true), news(true, &[]));
        assert_eq!(index.budget(&budget(2, &["y"]), false), news(true, &[]));
        assert_eq!(index.budget(&budget(2, &["y"]), true), news(true, &["y"]));
    }

    #[test]
    fn only_open_claims_are_listed() {
        let index = Index::default();
        let open = || {
            let mut names = index.open_claims(&ObjectRef::new("b").within("north"));
            names.sort();
            names
        };
        index.claim(&claim("x", None), true);
        index.claim(&claim("y", None), true);
        index.claim(&claim("z", Some("Spent")), true);
        assert_eq!(open(), ["x", "y"]);
        index.claim(&claim("x", Some("Released")), true);
        index.claim(&claim("y", None), false);
        assert!(open().is_empty() && index.lock().open.is_empty());
    }

    fn dataset(budget: &str) -> PrivateDataset {
        let dataset = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateDataset",
            "metadata": {"name": "d", "namespace": "north"},
            "spec": {"source": {"path": "x"}, "columns": [], "maxRows": 1, "budget": budget},
        });
        serde_json::from_value(dataset).unwrap()
    }

    fn job(dataset: &str, phase: &str) -> PrivateJob {
        let job = json!({
            "apiVersion": "veilgrid.dev/v1alpha1", "kind": "PrivateJob",
            "metadata": {"name": "j", "namespace": "research"},
            "spec": {
                "parties": [{"name": "p", "dataset": {"name": dataset, "namespace": "north"}}, {"name": "q", "dataset": {"name": "own"}}],
                "computation": {"statistics": []},
                "privacy": {"epsilon": 1},
            },
            "status": {"phase": phase},
        });
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn a_dataset_and_its_budget_know_their_jobs() {
        let index = Index::default();
        let jobs = |dataset: &str, namespace: &str, budget: &str| {
            let dataset = ObjectRef::new(dataset).within(namespace);
            assert_eq!(index.is_named(&dataset), !index.jobs_of_dataset(&dataset).is_empty());
            let budget = ObjectRef::new(budget).within("north");
            (index.jobs_of_dataset(&dataset).len(), index.jobs_of_budget(&budget).len())
        };
        index.job(&job("d", "Running"), true);
        assert_eq!(jobs("d", "north", "b"), (1, 0));
        assert!(index.dataset(&dataset("b"), true) && !index.dataset(&dataset("b"), true));
        assert_eq!((jobs("d", "north", "b"), jobs("own", "research", "c")), ((1, 1), (1, 0)));
        assert!(index.dataset(&dataset("c"), true), "another budget is another dataset");
        assert_eq!((jobs("d", "north", "b"), jobs("d", "north", "c")), ((1, 0), (1, 1)));
        index.job(&job("e", "Pending"), true);
        assert_eq!((jobs("d", "north", "c"), jobs("e", "north", "c")), ((0, 0), (1, 0)));
        index.job(&job("e", "Failed"), true);
        assert_eq!((jobs("e", "north", "c"), jobs("own", "research", "c")), ((0, 0), (0, 0)));
        index.job(&job("d", "Running"), true);
        index.job(&job("d", "Running"), false);
        assert!(index.dataset(&dataset("c"), false));
        let seen = index.lock();
        assert!(seen.names.is_empty() && seen.named_by.is_empty() && seen.guarded.is_empty());
    }
}
