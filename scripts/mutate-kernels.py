#!/usr/bin/env python3
"""Breaks one constant of a kernel after the other and requires that its tests notice: mutate-kernels.py [--check] [PART...]

With PARTs only those whose name has one of them; with --check nothing is built, only each place looked for that is to be broken. The list is
kernels/tests/mutations.toml. It works on a copy of the tracked files in target/mutants, so nothing here changes.
A mutant is caught if it compiles and its tests, which pass without it, fail.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "mutants"
TREE = HOME / "tree"
# Kernels that are not optimised compute the same and are built in a quarter of the time; their frames are large. Long vectors and large matrices need them optimised.
STACK = 64 << 20
OPTIMISED = {"cores", "matmul"}
# Seconds for the tests of a mutant: some loops end only where sums are right.
LIMIT = 900


def copy_tree():
    """Brings the copy up to date; a file that is the same keeps its time, so cargo does not build it anew."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        source, copy = ROOT / name, TREE / name
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for path in [path for path in TREE.rglob("*") if path.is_file()]:
        if str(path.relative_to(TREE)) not in names:
            path.unlink()


def cargo(tests, build_only, limit=0):
    target, *filters = tests.split()
    command = ["timeout", str(limit), "cargo"]
    if target not in OPTIMISED:
        for setting in ["opt-level=0", "codegen-units=4"]:
            command += ["--config", "profile.release.package.veilgrid-kernels." + setting]
    command += ["test", "--release", "--locked", "--quiet", "-p", "veilgrid-kernels", "--test", target]
    if target == "gpu":
        command += ["--features", "gpu"]
    command += ["--no-run"] if build_only else ["--", *filters]
    # Software adapters ask for a display that no test has; a test without its device would pass.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(HOME / "target"), "NODEVICE_SELECT": "1", "CI": "true", "RUST_MIN_STACK": str(STACK)}
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True)


def has(feature):
    """Whether the CPU has what a mutation of one level needs."""
    if feature is None:
        return True
    info = pathlib.Path("/proc/cpuinfo")
    return info.exists() and feature in info.read_text().split()


def stale(mutation, tree):
    """Why a mutation cannot be made, if so."""
    path = tree / mutation["file"]
    if not path.is_file():
        return f"stale: there is no {mutation['file']}"
    count = path.read_text(encoding="utf-8").count(mutation["from"])
    return f"stale: {mutation['from']!r} occurs {count} times in {mutation['file']}" if count != 1 else None


def outcome(mutation):
    """What became of a mutant: `caught`, or why not."""
    told = stale(mutation, TREE)
    if told:
        return told
    path = TREE / mutation["file"]
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(whole.replace(mutation["from"], mutation["to"]), encoding="utf-8")
        built = cargo(mutation["tests"], True)
        if built.returncode != 0:
            return "does not compile:\n" + built.stderr[-2000:]
        ran = cargo(mutation["tests"], False, LIMIT)
        if ran.returncode == 124:
            return "caught: its tests do not end"
        failed = "test result: FAILED" in ran.stdout or "SIG" in ran.stderr
        return "caught" if ran.returncode != 0 and failed else "SURVIVED"
    finally:
        path.write_text(whole, encoding="utf-8")


def main(arguments):
    parts = [argument for argument in arguments if argument != "--check"]
    with open(ROOT / "kernels/tests/mutations.toml", "rb") as file:
        mutations = tomllib.load(file)["mutation"]
    chosen = [mutation for mutation in mutations if not parts or any(part in mutation["name"] for part in parts)]
    if not chosen:
        sys.exit("no mutation is named so; they are in kernels/tests/mutations.toml")
    if "--check" in arguments:
        told = [f"{mutation['name']}: {stale(mutation, ROOT)}" for mutation in chosen if stale(mutation, ROOT)]
        print(*told, f"{len(chosen)} mutations, {len(told)} stale", sep="\n")
        return 1 if told else 0
    copy_tree()
    filters = {}
    for mutation in chosen:
        target, *parts = mutation["tests"].split()
        filters.setdefault(target, set()).update(parts)
    for target, parts in sorted(filters.items()):
        whole = cargo(" ".join([target, *sorted(parts)]), False)
        if whole.returncode != 0:
            sys.exit(f"without a mutation the tests of {target} must pass:\n{whole.stdout[-2000:]}{whole.stderr[-2000:]}")
    counts = {"caught": 0, "skipped": 0, "wrong": 0}
    for mutation in chosen:
        began = time.monotonic()
        told = outcome(mutation) if has(mutation.get("cpu")) else "skipped: this CPU has no " + mutation["cpu"]
        kind = told.split(":")[0] if told.split(":")[0] in counts else "wrong"
        counts[kind] += 1
        print(f"{mutation['name']:34} {told} ({time.monotonic() - began:.0f} s)", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
