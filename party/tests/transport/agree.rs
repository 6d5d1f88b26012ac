//! The handshake: one plan, known keys, signatures that cannot be passed on.

use crate::{connected, names};
use tempfile::TempDir;
use tokio::task::JoinSet;
use veilgrid_api::{manifest, plan::Plan, planner};
use veilgrid_party::{
    handshake::{Agreement, HandshakeError, agree},
    identity::{Identity, KnownPeers},
    receipt::signature::{PLAN_DOMAIN, verify},
    transport::links::{Kind, Links},
};

const PARTIES: usize = 3;

/// The plan of a job that counts rows.
fn plan(job: &str) -> Plan {
    let object = |kind: &str, name: &str, spec: String| {
        format!(
            "---\napiVersion: veilgrid.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        )
    };
    let (mut manifest, mut parties) = (String::new(), String::new());
    for name in names(PARTIES) {
        manifest += &object("PrivacyBudget", &name, "epsilon: 9, delta: 0.1".into());
        let columns = "columns: [{name: x, number: {min: 0, max: 1}}]";
        let dataset = format!("source: {{path: {name}.csv}}, budget: {name}, maxRows: 9, {columns}");
        manifest += &object("PrivateDataset", &name, dataset);
        parties += &format!("{{name: {name}, dataset: {{name: {name}}}}}, ");
    }
    let computation = "computation: {statistics: [{name: rows, count: {}}]}";
    let spec = format!("parties: [{parties}], privacy: {{epsilon: 1, delta: 0.01}}, {computation}");
    manifest += &object("PrivateJob", job, spec);
    let manifest = manifest::parse(&manifest).unwrap_or_else(|faults| panic!("{faults:?}"));
    planner::plan(&manifest, None, crate::RUN).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn folders() -> Vec<TempDir> {
    (0..PARTIES).map(|_| tempfile::tempdir().unwrap()).collect()
}

/// Has all parties agree, each with its own plan; `twist` changes the fingerprint that a party sees of another.
async fn agreed(
    folders: &[TempDir],
    plans: Vec<Plan>,
    twist: Option<(usize, usize)>,
) -> Vec<Result<Agreement, HandshakeError>> {
    let mut tasks = JoinSet::new();
    for (mesh, plan) in connected(PARTIES).await.into_iter().zip(plans) {
        let folder = folders[mesh.me()].path().to_owned();
        tasks.spawn(async move {
            let me = mesh.me();
            let identity = Identity::open_or_create(&folder).unwrap();
            let mut known = KnownPeers::open(&folder).unwrap();
            let mut fingerprints: Vec<_> = (0..PARTIES).map(|p| mesh.certificate_fingerprint(p)).collect();
            if let Some((_, of)) = twist.filter(|(at, _)| *at == me) {
                fingerprints[of][0] ^= 1;
            }
            let result = agree(&mesh, &fingerprints, &plan, &identity, &mut known).await;
            let _ = mesh.close().await;
            (me, result)
        });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(me, _)| *me);
    results.into_iter().map(|(_, result)| result).collect()
}

fn all(plan: &Plan) -> Vec<Plan> {
    vec![plan.clone(); PARTIES]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_with_one_plan_get_the_same_signatures() {
    let (folders, plan) = (folders(), plan("job"));
    let results: Vec<_> = agreed(&folders, all(&plan), None).await.into_iter().map(Result::unwrap).collect();
    for agreement in &results {
        assert_eq!(agreement.signatures, results[0].signatures);
        assert_eq!(agreement.first_seen.len(), PARTIES - 1);
    }
    for (party, signed) in results[0].signatures.iter().enumerate() {
        assert_eq!(signed.party, names(PARTIES)[party]);
        let bytes: Vec<u8> =
            (0..64).map(|i| u8::from_str_radix(&signed.signature[2 * i..2 * i + 2], 16).unwrap()).collect();
        let signature = bytes.try_into().unwrap();
        assert!(verify(&signed.public_key, PLAN_DOMAIN, &plan.hash().0, &signature));
    }
    // The second time nobody is new.
    for agreement in agreed(&folders, all(&plan), None).await {
        assert!(agreement.unwrap().first_seen.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_plan_is_refused_with_the_fields_that_differ() {
    let mut plans = all(&plan("job"));
    plans[1].job = "default/other".into();
    plans[1].parties[2].max_rows = 10;
    let results = agreed(&folders(), plans, None).await;
    let mut own = 0;
    for result in results {
        let error = result.unwrap_err();
        // One may hear of it from another before it compares for itself.
        own += usize::from(matches!(error, HandshakeError::OtherPlan { .. }));
        let error = error.to_string();
        assert!(error.contains("differs in job, parties[2].maxRows:"), "{error}");
    }
    assert!(own > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_stops_the_job_at_every_party() {
    let (mut folders, plan) = (folders(), plan("job"));
    agreed(&folders, all(&plan), None).await.into_iter().for_each(|result| drop(result.unwrap()));
    folders[2] = tempfile::tempdir().unwrap();
    let results = agreed(&folders, all(&plan), None).await;
    for result in results {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("key of peer party-2 has changed"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_key_is_required() {
    let (folders, mut plan) = (folders(), plan("job"));
    let key = |party: usize| Identity::open_or_create(folders[party].path()).unwrap().public_key_hex();
    plan.parties[2].public_key = Some(key(2));
    for agreement in agreed(&folders, all(&plan), None).await {
        assert!(!agreement.unwrap().first_seen.contains(&"party-2".into()));
    }
    plan.parties[2].public_key = Some(key(1));
    let results = agreed(&folders, all(&plan), None).await;
    let own = results[2].as_ref().unwrap_err();
    assert!(matches!(own, HandshakeError::OwnKey { .. }), "{own}");
    assert!(results.iter().all(Result::is_err));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_that_was_made_for_another_channel_is_refused() {
    let results = agreed(&folders(), all(&plan("job")), Some((0, 1))).await;
    let error = results[0].as_ref().unwrap_err();
    assert!(
        matches!(error, HandshakeError::BadSignature { peer, what: "the channel" } if peer == "party-1"),
        "{error}"
    );
    assert!(results.iter().all(Result::is_err));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_offer_is_refused() {
    let offers: [(&[u8], &str); 3] = [
        (b"{", "cannot be understood"),
        (
            br#"{"planBytes":99999999999,"publicKey":"","planSignature":"","channelSignature":""}"#,
            "99999999999 bytes",
        ),
        (br#"{"planBytes":3,"publicKey":"","planSignature":"","channelSignature":""}"#, "another length"),
    ];
    for (offer, expected) in offers {
        let meshes = connected(2).await;
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open_or_create(folder.path()).unwrap();
        let mut known = KnownPeers::open(folder.path()).unwrap();
        meshes[1].send(0, Kind::Agree, offer.to_vec()).await.unwrap();
        meshes[1].send(0, Kind::Agree, b"four".to_vec()).await.unwrap();
        let error = agree(&meshes[0], &[[0; 32]; 2], &plan("job"), &identity, &mut known).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        // The peer is told.
        let told = loop {
            match meshes[1].receive(0).await {
                Ok(message) => assert!(message.kind == Kind::Agree),
                Err(error) => break error.to_string(),
            }
        };
        assert!(told.contains("gave up") && told.contains(expected), "{told}");
    }
}
