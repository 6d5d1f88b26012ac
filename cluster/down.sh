#!/usr/bin/env bash
# Stop the cluster in $D (or number ID), nodes first, and remove all it left but its logs; with NODE=n, that node only.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ -e "$D/env" ] || { say "no cluster in $D"; exit 0; }
enter

node_down() { # NAME
  local name=$1 dir=$D/$1 socket=$D/$1/containerd.sock container netns pid group
  stop "$name-kubelet"; stop "$name-kube-proxy"; stop "$name-coredns"; stop "$name-kube-policy"
  if ! alive "$name-containerd" && [ -e "/run/netns/veilgrid-$name" ] && [ -e "$dir/containerd.toml" ]; then # it died; only it knows what is left
    start "$name-containerd" nsenter "--net=/run/netns/veilgrid-$name" containerd --config "$dir/containerd.toml"
    for _ in $(seq 25); do ctr -a "$socket" version >/dev/null 2>&1 && break; sleep 0.2; done
  fi
  if alive "$name-containerd"; then
    for container in $(ctr -a "$socket" -n k8s.io containers list -q 2>/dev/null); do
      netns=$(ctr -a "$socket" -n k8s.io containers info "$container" 2>/dev/null | grep -o '/[a-z/]*run/netns/cni-[0-9a-f-]*' | head -n 1)
      ctr -a "$socket" -n k8s.io tasks kill -a -s KILL "$container" >/dev/null 2>&1
      ctr -a "$socket" -n k8s.io tasks delete -f "$container" >/dev/null 2>&1
      ctr -a "$socket" -n k8s.io containers delete "$container" >/dev/null 2>&1
      [ -z "$netns" ] || { umount "$netns" 2>/dev/null; rm -f "$netns"; }
      rm -f /var/lib/cni/results/*-"$container"-*
    done
    stop "$name-containerd"
  fi
  # Shims outlive containerd where it was killed; each names this node's socket on its command line.
  for pid in $(pgrep -f "containerd-shim-runc-v2 .*-address $socket"); do kill -9 "$pid" 2>/dev/null; done
  awk -v d="$dir/" 'index($5, d) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r mount; do umount -l "$mount"; done
  for group in /sys/fs/cgroup/veilgrid-"$name" /sys/fs/cgroup/*/veilgrid-"$name"; do
    [ ! -d "$group" ] || for _ in 1 2 3 4 5; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; [ -d "$group" ] || break; sleep 0.3; done
  done
  ip route del "$NET.${name#n}.0/24" 2>/dev/null
  {
    flock 8
    ip link del "veilgrid-$name" 2>/dev/null
    ip netns del "veilgrid-$name" 2>/dev/null
    [ -n "$(ls "/sys/class/net/$BRIDGE/brif" 2>/dev/null)" ] || ip link del "$BRIDGE" 2>/dev/null
  } 8>"$NETWORK_LOCK"
  rm -rf --one-file-system "$dir"
  say "node $name is down"
}

if [ -n "${NODE:-}" ]; then
  [ ! -d "$D/n$NODE" ] || node_down "n$NODE"
  ! alive kube-apiserver || kubectl delete node "n$NODE" --ignore-not-found --request-timeout=5s >/dev/null
  exit 0
fi
for dir in "$D"/n[0-9]*; do [ ! -d "$dir" ] || node_down "$(basename "$dir")"; done
for name in kwok kube-scheduler kube-controller-manager kube-apiserver etcd; do stop $name; done
rm -rf "${D:?}"/{etcd,pki,pid,env}
say "the cluster in $D is down; its logs are in $D/log"
