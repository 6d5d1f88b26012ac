//! What the present user may do in the namespace.

use super::{Cluster, Finding};
use futures::future;
use k8s_openapi::api::{
    authentication::v1::SelfSubjectReview,
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
};
use kube::{Api, api::PostParams};

const WHAT: &str = "your rights";

/// Something that somebody may do.
#[derive(Clone, Copy, Debug)]
struct Right {
    group: &'static str,
    /// With a subresource after a slash.
    resource: &'static str,
    verb: &'static str,
}

const fn right(group: &'static str, resource: &'static str, verb: &'static str) -> Right {
    Right { group, resource, verb }
}

/// What a part that a person may have needs.
struct Part {
    name: &'static str,
    role: &'static str,
    rights: &'static [Right],
}

const GROUP: &str = "veilgrid.dev";
const PARTS: [Part; 2] = [
    Part {
        name: "data scientist",
        role: "veilgrid-data-scientist",
        rights: &[
            right(GROUP, "privatejobs", "create"),
            right(GROUP, "privatejobs", "get"),
            right(GROUP, "privatejobs", "list"),
            right(GROUP, "privatejobs", "watch"),
            right(GROUP, "privatejobs", "patch"),
            right(GROUP, "privatejobs", "delete"),
            right("", "configmaps", "get"),
        ],
    },
    Part {
        name: "data owner",
        role: "veilgrid-data-owner",
        rights: &[
            right(GROUP, "privatedatasets", "create"),
            right(GROUP, "privatedatasets", "get"),
            right(GROUP, "privatedatasets", "patch"),
            right(GROUP, "privacybudgets", "create"),
            right(GROUP, "privacybudgets", "list"),
            right(GROUP, "privacybudgets", "patch"),
            right(GROUP, "privacyclaims", "list"),
            right(GROUP, "privacyclaims", "patch"),
            right("", "pods", "list"),
            right("", "pods/log", "get"),
        ],
    },
];

/// Which part the user may play in the namespace.
pub(super) async fn rights(cluster: &Cluster) -> Finding {
    let mut lacks = Vec::new();
    for part in &PARTS {
        let asked = part.rights.iter().map(|right| may(cluster, right));
        match future::try_join_all(asked).await {
            Ok(answers) => {
                let missing = part.rights.iter().zip(answers).filter(|(_, may)| !may);
                lacks.push(missing.map(|(right, _)| *right).collect::<Vec<_>>());
            }
            Err(error) => return Finding::unseen(WHAT, &error, "ask what you may do"),
        }
    }
    let user = who(cluster).await.unwrap_or_else(|| "you".into());
    judge(&user, &cluster.namespace, &lacks)
}

async fn may(cluster: &Cluster, right: &Right) -> Result<bool, kube::Error> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource, None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(cluster.namespace.clone()),
                group: Some(right.group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource,
                verb: Some(right.verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// The user's name, as the cluster has it.
async fn who(cluster: &Cluster) -> Option<String> {
    let api: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let answer = api.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok()?;
    answer.status?.user_info?.username
}

/// `lacks` has for each part what is missing.
fn judge(user: &str, namespace: &str, lacks: &[Vec<Right>]) -> Finding {
    let whole: Vec<&str> =
        PARTS.iter().zip(lacks).filter(|(_, lacks)| lacks.is_empty()).map(|(part, _)| part.name).collect();
    if !whole.is_empty() {
        return Finding::ok(WHAT, format!("{user} is {} in namespace {namespace}", whole.join(" and ")));
    }
    let words = |(part, lacks): (&Part, &Vec<Right>)| {
        let missing: Vec<String> =
            lacks.iter().map(|right| format!("{} {}", right.verb, right.resource)).collect();
        let all = lacks.len() == part.rights.len();
        format!(
            "as {} {}",
            part.name,
            if all { "nothing is allowed".to_owned() } else { format!("lacks {}", missing.join(", ")) }
        )
    };
    let words: Vec<String> = PARTS.iter().zip(lacks).map(words).collect();
    let remedy = format!(
        "kubectl -n {namespace} create rolebinding NAME --clusterrole={} --user={user}, or {}; or another namespace with -n",
        PARTS[0].role, PARTS[1].role
    );
    Finding::problem(
        WHAT,
        format!("{user} has no part in namespace {namespace}: {}", words.join("; ")),
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn one_whole_part_is_enough() {
        let [scientist, owner] = PARTS.map(|part| part.rights.to_vec());
        let found = judge("ada", "research", &[vec![], owner.clone()]);
        assert_eq!(
            (found.verdict, found.detail.as_str()),
            (Verdict::Ok, "ada is data scientist in namespace research")
        );
        assert!(judge("ada", "x", &[vec![], vec![]]).detail.contains("data scientist and data owner"));
        let found = judge("ada", "research", &[scientist, owner[..1].to_vec()]);
        assert_eq!(found.verdict, Verdict::Problem);
        assert!(
            found
                .detail
                .contains("as data scientist nothing is allowed; as data owner lacks create privatedatasets"),
            "{found:?}"
        );
        assert!(found.remedy.contains("-n research") && found.remedy.contains("--user=ada"));
    }
}
