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

steps_done() {
    printf 'took %d s\n%d passed, 0 failed\n' $((SECONDS - began)) "$passed"
}
