//! The objects of the hospitals' job, as far as they say where it runs.

use super::{super::validate::validate, *};
use veilgrid_api::{
    cluster::Placement,
    job::DeviceChoice,
    manifest::{Manifest, parse},
    status::PrivateJobStatus,
};

const RUN: &str = "0123456789abcdef0123456789abcdef";

/// The hospitals' job with changes, and its objects; in one namespace where it is said so.
fn built(one: bool, groups: bool, change: impl FnOnce(&mut PrivateJob)) -> (PrivateJob, Objects) {
    built_of(one, groups, change, |_| {})
}

/// The same of changed datasets.
fn built_of(
    one: bool,
    groups: bool,
    change: impl FnOnce(&mut PrivateJob),
    own: impl FnOnce(&mut Manifest),
) -> (PrivateJob, Objects) {
    let text = include_str!("../../../../examples/hospitals/cluster.yaml");
    let mut manifest: Manifest = parse(text).unwrap();
    if one {
        // Their names are the same in three namespaces.
        for (party, dataset) in manifest.jobs[0].spec.parties.iter_mut().zip(&mut manifest.datasets) {
            dataset.name.clone_from(&party.name);
            dataset.spec.budget.clone_from(&party.name);
            dataset.namespace = "research".into();
            party.dataset.name.clone_from(&party.name);
            party.dataset.namespace = None;
        }
        for (budget, dataset) in manifest.budgets.iter_mut().zip(&manifest.datasets) {
            (budget.name, budget.namespace) = (dataset.name.clone(), dataset.namespace.clone());
        }
    }
    let mut job = PrivateJob::new("hospitals", manifest.jobs[0].spec.clone());
    job.metadata.namespace = Some("research".into());
    job.metadata.uid = Some("6a0e1f1e-8f0c-4a55-9d6d-0d3c2d9c8a11".into());
    change(&mut job);
    manifest.jobs[0].spec = job.spec.clone();
    own(&mut manifest);
    let kind = ApiResource {
        group: "scheduling.k8s.io".into(),
        version: "v1alpha2".into(),
        api_version: "scheduling.k8s.io/v1alpha2".into(),
        kind: "PodGroup".into(),
        plural: "podgroups".into(),
    };
    let settings = PodSettings {
        image: "party".into(),
        pull_policy: "Never".into(),
        identity: IdentitySource::Node,
        groups: groups.then_some(kind),
        queues: true,
    };
    let accepted = validate(manifest, RUN, true).unwrap();
    let seats = crate::names::seats(&job).unwrap();
    let seed = OperatorSeed::new([7; 32]);
    let built = objects(&job, &accepted, &seats, &seed, 20_000, &settings).unwrap();
    assert_eq!(gang(&job, &settings).is_some(), job.spec.accelerator.is_some() && built.group.is_none());
    (job, built)
}

fn accelerated(job: &mut PrivateJob) {
    job.spec.accelerator = Some(serde_json::from_value(json!({"resource": "a.b/c", "count": 2})).unwrap());
}

fn pod(objects: &Objects, party: usize) -> Value {
    json!(objects.parties[party].job.spec.as_ref().unwrap().template.spec)
}

#[test]
fn parties_of_one_namespace_are_a_group_where_the_cluster_has_such() {
    let (_, one) = built(true, true, accelerated);
    let group = one.group.as_ref().unwrap();
    let name = group.metadata.name.clone().unwrap();
    assert_eq!(group.data["spec"], json!({"schedulingPolicy": {"gang": {"minCount": 3}}}));
    assert_eq!(group.types.as_ref().unwrap().api_version, "scheduling.k8s.io/v1alpha2");
    for party in 0..3 {
        assert_eq!(pod(&one, party)["schedulingGroup"], json!({"podGroupName": name}));
    }
    let uids = ["x", "y", "z"].map(String::from);
    let owners = one.owned_by(&uids).group.unwrap().metadata.owner_references.unwrap();
    assert_eq!(owners.iter().map(|owner| owner.uid.as_str()).collect::<Vec<_>>(), uids);
    // Not across namespaces, not where the cluster has none, not for plain jobs.
    for (_, other) in
        [built(false, true, accelerated), built(true, false, accelerated), built(true, true, |_| ())]
    {
        assert!(other.group.is_none() && pod(&other, 0)["schedulingGroup"].is_null());
    }
}

#[test]
fn a_gang_asks_for_what_its_pods_ask_for() {
    let (job, built) = built(false, false, accelerated);
    let settings = PodSettings {
        image: String::new(),
        pull_policy: String::new(),
        identity: IdentitySource::Node,
        groups: None,
        queues: true,
    };
    let gang = gang(&job, &settings).unwrap();
    let resources = &pod(&built, 0)["containers"][0]["resources"];
    assert_eq!(resources["limits"], json!({"a.b/c": gang.need.requests["a.b/c"]}));
    for name in ["cpu", "memory"] {
        assert_eq!(resources["requests"][name], gang.need.requests[name]);
    }
    assert_eq!((gang.need.requests.len(), gang.parties.join(" ")), (4, "north south west".into()));
}

#[test]
fn placement_means_the_pods_of_the_attempt() {
    let placement: Placement = serde_json::from_value(json!({
        "nodeSelector": {"pool": "gpu"},
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}},
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "podAffinityTerm": {"topologyKey": "zone"}}],
            },
        },
    }))
    .unwrap();
    let affinity = json!(placement.affinity.as_ref().unwrap().node_affinity);
    let (job, three) = built(false, false, |job| job.spec.placement = Some(placement));
    let pod_of = |objects: &Objects| pod(objects, 1);
    let found = pod_of(&three);
    assert_eq!(found["nodeSelector"], json!({"pool": "gpu"}));
    assert_eq!(found["affinity"]["nodeAffinity"], affinity);
    let labels =
        json!(three.parties[1].job.spec.as_ref().unwrap().template.metadata.as_ref().unwrap().labels);
    let apart = &found["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(apart["namespaces"], json!(["north", "south", "west"]));
    let meant = apart["labelSelector"]["matchLabels"].as_object().unwrap();
    assert!(meant.len() == 2 && meant.iter().all(|(key, value)| labels[key] == *value), "{meant:?}");
    assert!(meant.values().any(|value| value == job.metadata.uid.as_deref().unwrap()));
    let near = &found["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!((&near["weight"], &near["podAffinityTerm"]["topologyKey"]), (&json!(3), &json!("zone")));
    let (_, one) = built(true, false, |job| {
        let spread = json!({"topologySpread": [{"maxSkew": 2, "topologyKey": "zone"}]});
        job.spec.placement = Some(serde_json::from_value(spread).unwrap());
    });
    let spread = &pod_of(&one)["topologySpreadConstraints"][0];
    assert_eq!((&spread["maxSkew"], &spread["whenUnsatisfiable"]), (&json!(2), &json!("DoNotSchedule")));
    assert_eq!(spread["labelSelector"]["matchLabels"].as_object().unwrap().len(), 2);
}

#[test]
fn the_device_is_handed_to_every_party() {
    for (device, word) in
        [(DeviceChoice::Auto, "auto"), (DeviceChoice::Cpu, "cpu"), (DeviceChoice::Gpu, "gpu")]
    {
        let (_, built) = built(false, false, |job| job.spec.device = device);
        for party in &built.parties {
            let handed = &party.secret.string_data.as_ref().unwrap()["manifest.yaml"];
            assert!(handed.contains(&format!("\"device\":\"{word}\"")), "{handed}");
        }
    }
}

#[test]
fn what_a_party_must_find_again_is_where_its_owner_says() {
    let claim = |manifest: &mut Manifest| {
        let state = serde_json::from_value(json!({"claim": "kept"})).unwrap();
        manifest.datasets[0].spec.state = Some(state);
    };
    let made = |round: u32| {
        let status = PrivateJobStatus { attempt: 1, resumes: round, ..PrivateJobStatus::default() };
        built_of(false, false, |job| job.status = Some(status), claim).1
    };
    let (first, again) = (made(0), made(1));
    let config = |objects: &Objects, party: usize| -> Value {
        let text = &objects.parties[party].secret.string_data.as_ref().unwrap()["config.json"];
        serde_json::from_str(text).unwrap()
    };
    let volume = |objects: &Objects, party: usize| pod(objects, party)["volumes"][1].clone();
    let kept = json!({"name": "state", "persistentVolumeClaim": {"claimName": "kept"}});
    assert_eq!([volume(&first, 0), volume(&again, 0)], [kept.clone(), kept]);
    assert_eq!(volume(&first, 1), json!({"name": "state", "emptyDir": {}}));
    // In a folder of its own, the same whenever the attempt is taken up; the pod's names are new.
    let name = |objects: &Objects, party: usize| objects.parties[party].job.metadata.name.clone().unwrap();
    assert_eq!(name(&again, 0), format!("{}r1", name(&first, 0)));
    let folder = format!("/var/lib/veilgrid/{}", name(&first, 0));
    assert_eq!(
        [&first, &again].map(|objects| config(objects, 0)["state"].clone()),
        [json!(folder), json!(folder)]
    );
    assert_eq!(config(&first, 1)["state"], "/var/lib/veilgrid");
    let told =
        |objects: &Objects| [config(objects, 0)["resume"].clone(), config(objects, 0)["begun"].clone()];
    assert_eq!((told(&first), told(&again)), ([Value::Null, Value::Null], [json!(true), json!(true)]));
    assert_ne!(config(&first, 1)["peers"], config(&again, 1)["peers"]);
    let manifest = &again.parties[0].secret.string_data.as_ref().unwrap()["manifest.yaml"];
    assert!(!manifest.contains("kept"), "{manifest}");
}

#[test]
fn a_secret_is_of_use_to_the_pod_of_its_job_alone() {
    let (_, built) = built(false, false, |_| {});
    let uids = ["a", "b", "c"].map(str::to_owned);
    let owned = built.owned_by(&uids);
    let from = json!({"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}});
    for (party, uid) in uids.iter().enumerate() {
        let data = owned.parties[party].secret.string_data.as_ref().unwrap();
        assert_eq!(data.keys().collect::<Vec<_>>(), [&format!("{uid}.json"), "manifest.yaml"]);
        let container = &pod(&owned, party)["containers"][0];
        assert_eq!(container["args"], json!(["party", "--config", "/etc/veilgrid/$(JOB).json"]));
        assert_eq!(container["env"], json!([{"name": "JOB", "valueFrom": from}]));
    }
}
