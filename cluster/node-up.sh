#!/usr/bin/env bash
# Add a node to the cluster in $D: containerd, kubelet, kube-proxy, kube-policy and CoreDNS in a network namespace of their own. Needs root.
#   D or ID  which cluster       NODE  1 to 200, one number per node of the machine, also across clusters; the lowest free one by default
#   KUBELET_ARGS, PROXY_ARGS  further flags
# Pods get addresses $NET.$NODE.x, which the machine itself can reach too; nothing is routed to the outside.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
enter
CNI=${CNI:-/usr/lib/cni} pki=$D/pki
[ "$(id -u)" = 0 ] || die "needs root"
missing=
for program in containerd ctr runc nft ip nsenter openssl gcc; do command -v $program >/dev/null || missing+=" $program"; done
[ -x "$CNI/ptp" ] || missing+=" $CNI/ptp"
[ -z "$missing" ] || die "missing:$missing; scripts/cluster-deps.sh installs them on Debian"
[ ${#D} -lt 60 ] || die "$D is too long a path: the sockets under it would pass the kernel's limit of 107 characters"
[ -x "$BIN/kubelet" ] && [ -x "$BIN/coredns" ] && [ -e "$BIN/pause.tar" ] || die "$BIN lacks kubelet, coredns or pause.tar: run build.sh"

# A node's number is taken by making its network namespace, which only one caller can.
taken=
for number in ${NODE:-$(seq 200)}; do
  if ip netns add "veilgrid-n$number" 2>/dev/null; then taken=$number; break; fi
done
[ -n "$taken" ] || die "this machine has node ${NODE:-200 and all below} already: choose another NODE, or take one down"
NODE=$taken name=n$taken space=veilgrid-n$taken dir=$D/n$taken address=$NET.0.$((taken + 1))
mkdir -p "$dir"/{cni,ipam,logs,kubelet}
trap 'status=$?; [ $status = 0 ] || D=$D NODE=$NODE "$here/down.sh" >&2; exit $status' EXIT

# The network: one bridge for the machine, one namespace and one pair of interfaces for the node.
in_node=(nsenter "--net=/run/netns/$space") # not 'ip netns exec': it hides /sys/fs/cgroup
{
  flock 8 # a node that goes takes the bridge along if it was the last
  # An address of its own: else it has that of a node, and another when that one goes, and then other nodes may reach nobody for a minute.
  # shellcheck disable=SC2086 # two numbers
  mac=$(printf '02:00:%02x:%02x:00:01' ${NET//./ })
  ip link add "$BRIDGE" address "$mac" type bridge 2>/dev/null || ip link set "$BRIDGE" address "$mac"
  ip addr replace "$NET.0.1/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  ip link add "$space" type veth peer name eth0 netns "$space"
  ip link set "$space" master "$BRIDGE" up
} 8>"$NETWORK_LOCK"
{
  echo "link set lo up"
  echo "link set eth0 up"
  echo "addr add $address/24 dev eth0"
  for other in $(seq 200); do [ "$other" = "$NODE" ] || echo "route add $NET.$other.0/24 via $NET.0.$((other + 1))"; done
  echo "route add $SERVICES via $NET.0.1" # so that the node's own processes reach services: kube-proxy rewrites them on the way
} | "${in_node[@]}" ip -batch -
"${in_node[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip route replace "$NET.$NODE.0/24" via "$address"

# Own control groups, so that two kubelets never clean up each other's pods.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p "/sys/fs/cgroup/$space"
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true; done
else
  for hierarchy in /sys/fs/cgroup/*/; do [ -L "${hierarchy%/}" ] || mkdir -p "$hierarchy$space"; done
fi

for file in containerd.toml cni.conflist kubelet.yaml Corefile; do
  sed -e "s|DIR|$dir|g; s|CNI|$CNI|g; s|PODS|$NET.$NODE.0/24|g; s|ADDRESS|$address|g; s|GROUP|$space|g; s|PKI|$pki|g" "$here/node/$file" >"$dir/$file"
done
mv "$dir/cni.conflist" "$dir/cni/10-veilgrid.conflist"; : >"$dir/resolv.conf"
server=https://$NET.0.1:$PORT
cert "$name-kubelet" "/O=system:nodes/CN=system:node:$name" extendedKeyUsage=clientAuth; kubeconfig "$name-kubelet" "$server"
cert "$name-proxy" /CN=system:kube-proxy extendedKeyUsage=clientAuth; kubeconfig "$name-proxy" "$server"
cp "$pki/admin.crt" "$pki/admin-node.crt"; cp "$pki/admin.key" "$pki/admin-node.key"; kubeconfig admin-node "$server"

start "$name-containerd" "${in_node[@]}" containerd --config "$dir/containerd.toml"
await 30 "$name-containerd" ctr -a "$dir/containerd.sock" version
ctr -a "$dir/containerd.sock" -n k8s.io images import "$BIN/pause.tar" >/dev/null
start "$name-coredns" "${in_node[@]}" "$BIN/coredns" -conf "$dir/Corefile"
start "$name-kube-proxy" "${in_node[@]}" "$BIN/kube-proxy" --proxy-mode=nftables --kubeconfig="$pki/$name-proxy.kubeconfig" \
  --hostname-override="$name" --cluster-cidr="$NET.0.0/16" --conntrack-max-per-core=0 --conntrack-min=0 \
  --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 ${PROXY_ARGS:-}
start "$name-kube-policy" "${in_node[@]}" "$BIN/kube-policy" --kubeconfig="$pki/admin-node.kubeconfig"
start "$name-kubelet" "${in_node[@]}" "$BIN/kubelet" --config="$dir/kubelet.yaml" --kubeconfig="$pki/$name-kubelet.kubeconfig" \
  --hostname-override="$name" --node-ip="$address" --root-dir="$dir/kubelet" --cert-dir="$dir/kubelet/pki" \
  ${GATES:+--feature-gates="$GATES"} ${KUBELET_ARGS:-}
await 60 "$name-kubelet" kubectl wait --for=condition=Ready "node/$name" --timeout=1s
await 30 "$name-coredns" "${in_node[@]}" bash -c ': </dev/tcp/127.0.0.1/8181'
await 30 "$name-kube-policy" "${in_node[@]}" nft list table inet kube-policy
await 30 "$name-kube-proxy" "${in_node[@]}" nft list table ip kube-proxy
say "node $name is ready after $SECONDS s at $address"
