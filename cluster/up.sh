#!/usr/bin/env bash
# Start a control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler. Needs no root.
#   ID   0 (default), 1, 2, ...: gives each of several clusters on one machine its own ports and directory
#   D    an empty or new directory for this cluster (/tmp/veilgrid-cluster-$ID; short: below 60 characters)
#   BIN  what build.sh made        BIND 0.0.0.0 lets nodes (node-up.sh) in; 127.0.0.1 where there will be none
#   GATES  feature gates of all programs; '' for those of a plain Kubernetes
#   *_ARGS further flags, e.g. APISERVER_ARGS='--feature-gates=X=true --runtime-config=api/all=true'
# Then: $BIN/kubectl --kubeconfig $D/pki/admin.kubeconfig get pods -A
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
PORT=${PORT:-$((16443 + ID))} ETCD_PORT=${ETCD_PORT:-$((12379 + 2 * ID))}
ETCD_PEER_PORT=${ETCD_PEER_PORT:-$((ETCD_PORT + 1))}
BIND=${BIND:-0.0.0.0} NET=${NET:-10.210} BRIDGE=${BRIDGE:-veilgrid} SERVICES=${SERVICES:-10.0.0.0/24} NODE_GRACE=${NODE_GRACE:-1h}
# A pod's key that never leaves its node, and the authorities that pods trust, given to them as a volume.
GATES=${GATES-PodCertificateRequest=true,ClusterTrustBundle=true,ClusterTrustBundleProjection=true}
for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  [ -x "$BIN/$program" ] || die "$BIN/$program is missing: run build.sh"
done
[ ! -e "$D/env" ] || die "$D holds a cluster: run down.sh first"
for port in $PORT $ETCD_PORT $ETCD_PEER_PORT; do free "$port" || die "port $port is taken: choose another ID"; done
mkdir -p "$D"; mine; mkdir -p "$D"/{pki,log,pid}; D=$(cd "$D" && pwd) BIN=$(cd "$BIN" && pwd); chmod 700 "$D/pki"
printf '%s=%q\n' BIN "$BIN" D "$D" PORT "$PORT" NET "$NET" BRIDGE "$BRIDGE" SERVICES "$SERVICES" GATES "$GATES" >"$D/env"
trap 'status=$?; [ $status = 0 ] || D=$D "$here/down.sh" >&2; exit $status' EXIT

openssl ecparam -name prime256v1 -genkey -noout -out "$D/pki/ca.key"
openssl req -x509 -new -key "$D/pki/ca.key" -subj /CN=test-ca -days 3650 -out "$D/pki/ca.crt"
openssl genrsa -out "$D/pki/sa.key" 2048 2>/dev/null; openssl rsa -in "$D/pki/sa.key" -pubout -out "$D/pki/sa.pub" 2>/dev/null
first=${SERVICES%.*}.1
cert apiserver /CN=kube-apiserver "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$first,IP:$NET.0.1"
cert admin /O=system:masters/CN=admin extendedKeyUsage=clientAuth
cert manager /CN=system:kube-controller-manager extendedKeyUsage=clientAuth
cert scheduler /CN=system:kube-scheduler extendedKeyUsage=clientAuth
cert front-proxy /CN=front-proxy extendedKeyUsage=clientAuth
for user in admin manager scheduler; do kubeconfig $user "https://127.0.0.1:$PORT"; done

pki=$D/pki
start etcd "$BIN/etcd" --data-dir "$D/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
  --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
  --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT" ${ETCD_ARGS:-}
start kube-apiserver "$BIN/kube-apiserver" --etcd-servers="http://127.0.0.1:$ETCD_PORT" --secure-port="$PORT" \
  --bind-address="$BIND" --advertise-address="$NET.0.1" --service-cluster-ip-range="$SERVICES" \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
  --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy --requestheader-username-headers=X-Remote-User \
  --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key" \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true --enable-aggregator-routing=true \
  ${GATES:+--feature-gates="$GATES" --runtime-config=certificates.k8s.io/v1beta1=true} ${APISERVER_ARGS:-}
await 90 kube-apiserver kubectl get --raw /readyz
say "kube-apiserver is ready on port $PORT after $SECONDS s"
start kube-controller-manager "$BIN/kube-controller-manager" --secure-port=0 --leader-elect=false \
  --kubeconfig="$pki/manager.kubeconfig" --authentication-kubeconfig="$pki/manager.kubeconfig" --authorization-kubeconfig="$pki/manager.kubeconfig" \
  --use-service-account-credentials=true --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" \
  --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
  --node-monitor-grace-period="$NODE_GRACE" ${GATES:+--feature-gates="$GATES"} ${MANAGER_ARGS:-}
start kube-scheduler "$BIN/kube-scheduler" --secure-port=0 --leader-elect=false \
  --kubeconfig="$pki/scheduler.kubeconfig" --authentication-kubeconfig="$pki/scheduler.kubeconfig" --authorization-kubeconfig="$pki/scheduler.kubeconfig" \
  ${SCHEDULER_ARGS:-}
await 60 kube-controller-manager kubectl -n default get serviceaccount default
alive kube-scheduler || die "kube-scheduler died; its log is $D/log/kube-scheduler.log"
say "the control plane is up after $SECONDS s: $pki/admin.kubeconfig"
