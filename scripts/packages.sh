# Sourced: installs what is missing on a Debian machine, and says nothing where nothing is.

# missing_packages NAME...: those of them that are not installed.
missing_packages() {
    local package
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || printf '%s ' "$package"
    done
}

# install_packages WHO NAME...: WHO says in the messages what needs them.
install_packages() {
    local who=$1 root=() log
    shift
    [ $# -gt 0 ] || return 0
    cannot() {
        echo "$who needs these packages, and $1: $packages" >&2
        exit 1
    }
    local packages=$*
    command -v apt-get >/dev/null || cannot "this machine has no apt-get to install them with"
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || cannot "only root can install them"
        root=(sudo -n)
    fi
    echo "installing for $who: $packages"
    log=$(mktemp)
    get() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q "$@" >"$log" 2>&1; }
    # A stale package list is refreshed once, and only if the installation fails without.
    if ! get install -y --no-install-recommends "$@" && ! { get update && get install -y --no-install-recommends "$@"; }; then
        tail -n 5 "$log" >&2
        rm -f "$log"
        cannot "apt-get could not install them"
    fi
    rm -f "$log"
}
