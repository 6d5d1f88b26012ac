# What the scripts beside this file share; not run by itself.

# Which cluster: a number, and where it and the programs lie. A caller may set each.
ID=${ID:-0}
D=${D:-/tmp/veilgrid-cluster-$ID}
BIN=${BIN:-${VEILGRID_CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/veilgrid/cluster}}

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
NETWORK_LOCK=/run/veilgrid-network.lock # held while the machine's bridge is made, joined or removed

# mine: is $D this user's own? Others may write to /tmp too, and $D/env is sourced.
mine() { [ -O "$D" ] || die "$D belongs to somebody else: set D to another directory, or ID to another number"; }

# enter: read what up.sh wrote of the cluster in $D.
enter() {
  [ -e "$D/env" ] || die "no cluster in $D: run up.sh first"
  mine
  . "$D/env"
}

# free PORT...: does nobody listen there?
free() {
  local port
  for port; do ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1; done
}

# claim: set ID and D to those of a new cluster. Making the directory takes the number, so that two callers never share one.
claim() {
  for ID in $(seq 0 99); do
    D=/tmp/veilgrid-cluster-$ID
    free $((16443 + ID)) $((12379 + 2 * ID)) $((12380 + 2 * ID)) && mkdir "$D" 2>/dev/null || continue
    export ID D
    return
  done
  die "no number is free: remove what is not needed of /tmp/veilgrid-cluster-*"
}

# start NAME COMMAND...: run it in the background; its output goes to $D/log/NAME.log, its pid to $D/pid/NAME.
start() {
  local name=$1; shift
  (trap '' HUP INT; exec "$@") >"$D/log/$name.log" 2>&1 </dev/null &
  echo $! >"$D/pid/$name"
}

# alive NAME: is it running? A pid counts only while its command line still names $D.
alive() {
  local pid; pid=$(cat "$D/pid/$1" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$D/"
}

# stop NAME: ask it to end, insist after two seconds (the API server would wait a minute for its watchers).
stop() {
  local pid; pid=$(cat "$D/pid/$1" 2>/dev/null) || return 0
  if alive "$1"; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 40); do alive "$1" || break; sleep 0.05; done
    ! alive "$1" || kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$D/pid/$1"
}

# await SECONDS NAME COMMAND...: until the command succeeds, unless the process NAME dies first.
await() {
  local end=$((SECONDS + $1)) name=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$name" || { tail -n 15 "$D/log/$name.log" >&2; die "$name died; its log is $D/log/$name.log"; }
    [ $SECONDS -lt $end ] || { tail -n 15 "$D/log/$name.log" >&2; die "$name: not ready in time: $*"; }
    sleep 0.2
  done
}

# cert FILE SUBJECT EXTENSIONS: a key and a certificate from the cluster's authority.
cert() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$D/pki/$1.key"
  openssl req -new -key "$D/pki/$1.key" -subj "$2" -out "$D/pki/$1.csr"
  printf '%b\n' "$3" >"$D/pki/$1.ext"
  openssl x509 -req -in "$D/pki/$1.csr" -CA "$D/pki/ca.crt" -CAkey "$D/pki/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
    -days 3650 -extfile "$D/pki/$1.ext" -out "$D/pki/$1.crt" 2>/dev/null
  rm "$D/pki/$1.csr" "$D/pki/$1.ext"
}

# kubeconfig FILE SERVER: for the certificate of the same name.
kubeconfig() {
  cat >"$D/pki/$1.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 "$D/pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$D/pki/$1.crt"), client-key-data: $(base64 -w0 "$D/pki/$1.key")}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
current-context: test
K
}

kubectl() { "$BIN/kubectl" --kubeconfig "$D/pki/admin.kubeconfig" "$@"; }
