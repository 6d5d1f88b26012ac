//! Where parties' private keys come from.

use super::{Cluster, Finding};
use k8s_openapi::api::certificates::v1beta1::PodCertificateRequest;
use kube::Resource;

const WHAT: &str = "parties' keys";

/// Whether nodes make the keys (PodCertificateRequest), or the operator.
pub(super) async fn identity(cluster: &Cluster) -> Finding {
    let version = PodCertificateRequest::api_version(&());
    let served = match cluster.client.list_api_group_resources(&version).await {
        Ok(list) => list.resources.iter().any(|resource| resource.kind == PodCertificateRequest::kind(&())),
        Err(kube::Error::Api(status)) if status.code == 404 => false,
        Err(error) => return Finding::unseen(WHAT, &error, "ask what the API server serves"),
    };
    judge(served)
}

fn judge(served: bool) -> Finding {
    match served {
        true => Finding::ok(
            WHAT,
            "born on the pods' nodes (PodCertificateRequest), unless identitySource is `secret`",
        ),
        false => Finding::warning(
            WHAT,
            "held in Secrets for as long as a job runs: the cluster has no PodCertificateRequest",
            "Kubernetes 1.35 and newer, with the feature gate PodCertificateRequest and --runtime-config=certificates.k8s.io/v1beta1=true",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn keys_in_secrets_are_worth_a_word() {
        assert_eq!((judge(true).verdict, judge(false).verdict), (Verdict::Ok, Verdict::Warning));
    }
}
