//! Who takes part: parties, their datasets and their budgets.

use super::names::{label, repeats};
use crate::{
    amount::{Delta, Epsilon},
    budget::PrivacyBudgetSpec,
    dataset::PrivateDatasetSpec,
    fault::{Fault, quoted},
    job::{Party, PrivateJobSpec},
    manifest::{Manifest, Object},
    plan::{PlanParty, PlanPerson},
};
use std::collections::BTreeMap;

type Job = Object<PrivateJobSpec>;

/// A party's dataset and the budget that guards it.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) dataset: &'a Object<PrivateDatasetSpec>,
    budget: Option<&'a Object<PrivacyBudgetSpec>>,
}

/// The owner of each party, where its dataset is in the file.
pub(super) fn owners<'a>(manifest: &'a Manifest, job: &Job) -> Vec<Option<Owner<'a>>> {
    let owner = |party: &Party| {
        let dataset = manifest.dataset_of(job, party)?;
        let budget = manifest.budget_of(dataset);
        Some(Owner { dataset, budget })
    };
    job.spec.parties.iter().map(owner).collect()
}

pub(super) fn check(manifest: &Manifest, job: &Job, owners: &[Option<Owner<'_>>], faults: &mut Vec<Fault>) {
    let parties = &job.spec.parties;
    for (again, first) in repeats(parties.iter().map(|party| &party.name)) {
        let problem = format!("{} is the name of parties[{first}] too", quoted(&parties[again].name));
        faults.push(job.fault(
            &format!("spec.parties[{again}].name"),
            problem,
            "give each party a name of its own",
        ));
    }
    let dataset = |party: &Party| {
        let namespace = party.dataset.namespace_from(&job.namespace);
        format!("{namespace}/{}", party.dataset.name)
    };
    for (again, first) in repeats(parties.iter().map(dataset)) {
        let problem = format!("{} is the dataset of parties[{first}] too", quoted(&dataset(&parties[again])));
        let remedy = "give each party a dataset of its own; its rows would count twice";
        faults.push(job.fault(&format!("spec.parties[{again}].dataset"), problem, remedy));
    }
    for (index, (party, owner)) in parties.iter().zip(owners).enumerate() {
        let path = format!("spec.parties[{index}]");
        label(job, &format!("{path}.name"), &party.name, faults);
        if owner.is_none() && !manifest.partial {
            let problem = format!("the PrivateDataset {} is not in the file", quoted(&dataset(party)));
            let known: Vec<String> = manifest.datasets.iter().map(Object::shown).collect();
            let remedy = match known.len() {
                0 => "add it to the file".into(),
                1..=8 => format!("add it, or name one of {}", known.join(", ")),
                n => format!("add it, or name one of the {n} that are"),
            };
            faults.push(job.fault(&format!("{path}.dataset"), problem, remedy));
        }
        public_key(job, &path, party, faults);
    }
    let keys = parties
        .iter()
        .enumerate()
        .filter_map(|(i, p)| Some((i, p.public_key.as_ref()?.to_ascii_lowercase())));
    let (places, keys): (Vec<usize>, Vec<String>) = keys.unzip();
    for (again, first) in repeats(keys) {
        let problem = format!("is the key of parties[{}] too", places[first]);
        let path = format!("spec.parties[{}].publicKey", places[again]);
        faults.push(job.fault(
            &path,
            problem,
            "write each party's own key (`veilgrid party identity` prints it)",
        ));
    }
    recipients(job, faults);
}

fn public_key(job: &Job, path: &str, party: &Party, faults: &mut Vec<Fault>) {
    let Some(key) = &party.public_key else { return };
    // The length is the schema's matter.
    if key.chars().count() == 64 && !key.bytes().all(|b| b.is_ascii_hexdigit()) {
        let remedy = "write the 64 digits that `veilgrid party identity` prints";
        faults.push(job.fault(&format!("{path}.publicKey"), "is not hexadecimal", remedy));
    }
}

fn recipients(job: &Job, faults: &mut Vec<Fault>) {
    let recipients = &job.spec.recipients;
    for (again, first) in repeats(recipients) {
        let problem = format!("{} is recipients[{first}] too", quoted(&recipients[again]));
        faults.push(job.fault(&format!("spec.recipients[{again}]"), problem, "keep one of the two"));
    }
    let parties: Vec<&str> = job.spec.parties.iter().map(|party| party.name.as_str()).collect();
    for (index, name) in recipients.iter().enumerate() {
        if !parties.contains(&name.as_str()) {
            let problem = format!("{} is not a party of this job", quoted(name));
            let remedy = crate::shape::advice(name, &parties);
            faults.push(job.fault(&format!("spec.recipients[{index}]"), problem, remedy));
        }
    }
}

/// Tells budgets that cannot pay for the job even when nothing was spent yet. Parties that share a budget all draw on it.
pub(super) fn budgets(job: &Job, owners: &[Option<Owner<'_>>], faults: &mut Vec<Fault>) {
    let privacy = &job.spec.privacy;
    let (Some(epsilon), Some(delta)) = (Epsilon::from_f64(privacy.epsilon), Delta::from_f64(privacy.delta))
    else {
        return;
    };
    let mut draws: BTreeMap<String, (u64, &Object<PrivacyBudgetSpec>)> = BTreeMap::new();
    for budget in owners.iter().flatten().filter_map(|owner| owner.budget) {
        draws.entry(budget.shown()).or_insert((0, budget)).0 += 1;
    }
    for (key, (times, budget)) in draws {
        let ask = |units: u64| units.checked_mul(times);
        let charged = if times == 1 { String::new() } else { format!(" for each of {times} parties") };
        if let Some(total) = Epsilon::from_f64(budget.spec.epsilon)
            && ask(epsilon.units()).is_none_or(|asked| asked > total.units())
        {
            let problem = format!("asks for {epsilon}{charged}; the PrivacyBudget {key} has {total} in all");
            faults.push(job.fault(
                "spec.privacy.epsilon",
                problem,
                "ask for less, or have the owner raise the budget",
            ));
        }
        if let Some(total) = Delta::from_f64(budget.spec.delta)
            && ask(delta.units()).is_none_or(|asked| asked > total.units())
        {
            let problem = format!("asks for {delta}{charged}; the PrivacyBudget {key} has {total} in all");
            faults.push(job.fault(
                "spec.privacy.delta",
                problem,
                "ask for less, or have the owner raise the budget",
            ));
        }
    }
}

/// The parties as the plan states them.
pub(super) fn plan(job: &Job, owners: &[Owner<'_>]) -> Vec<PlanParty> {
    let party = |(party, owner): (&Party, &Owner<'_>)| PlanParty {
        name: party.name.clone(),
        dataset: owner.dataset.key(),
        budget: format!("{}/{}", owner.dataset.namespace, owner.dataset.spec.budget),
        public_key: party.public_key.as_ref().map(|key| key.to_ascii_lowercase()),
        max_rows: owner.dataset.spec.max_rows,
        person: owner
            .dataset
            .spec
            .person
            .as_ref()
            .map(|person| PlanPerson { column: person.column.clone(), max_rows: person.max_rows }),
    };
    job.spec.parties.iter().zip(owners).map(party).collect()
}
