# Sourced: runs named steps, says how long each took, stops at the first that fails.
passed=0
began=$SECONDS

step() {
    local name=$1 start=$SECONDS
    shift
    printf '== %s\n' "$name"
    if ! "$@"; then
        printf '== %s: failed after %d s\n   to repeat it: %s\n' "$name" $((SECONDS - start)) "$*" >&2
        printf '%d passed, 1 failed\n' "$passed"
        exit 1
    fi
    passed=$((passed + 1))
    printf '== %s: passed in %d s\n' "$name" $((SECONDS - start))
}

# begin NAME COMMAND...: starts it beside the steps that follow; `joined NAME` is then a step's command that waits for it and says what it said.
declare -A beside_pid beside_log beside_command
begin() {
    local name=$1
    shift
    beside_log[$name]=$(mktemp) beside_command[$name]=$*
    nice -n 10 "$@" >"${beside_log[$name]}" 2>&1 &
    beside_pid[$name]=$!
}
joined() {
    local status=0
    wait "${beside_pid[$1]}" || status=$?
    tail -n 40 "${beside_log[$1]}"
    [ $status = 0 ] || printf '   alone it is: %s\n' "${beside_command[$1]}" >&2
    return $status
}
trap 'for name in "${!beside_pid[@]}"; do kill "${beside_pid[$name]}" 2>/dev/null || true; rm -f "${beside_log[$name]}"; done' EXIT

steps_done() {
    printf 'took %d s\n%d passed, 0 failed\n' $((SECONDS - began)) "$passed"
}
