#!/usr/bin/env python3
"""Breaks one constant of a kernel after the other and requires that its tests notice: mutate-kernels.py [PART...]

With PARTs only those whose name has one of them. The list is kernels/tests/mutations.toml. It works on a copy of the tracked files in target/mutants, so nothing here changes.
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


def cargo(tests, build_only):
    target, *filters = tests.split()
    command = ["cargo", "test", "--release", "--locked", "--quiet", "-p", "veilgrid-kernels", "--test", target]
    if target == "gpu":
        command += ["--features", "gpu"]
    command += ["--no-run"] if build_only else ["--", *filters]
    # Software adapters ask for a display that no test has; a test without its device would pass.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(HOME / "target"), "NODEVICE_SELECT": "1", "CI": "true"}
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True)


def has(feature):
    """Whether the CPU has what a mutation of one level needs."""
    if feature is None:
        return True
    info = pathlib.Path("/proc/cpuinfo")
    return info.exists() and feature in info.read_text().split()


def outcome(mutation):
    """What became of a mutant: `caught`, or why not."""
    path = TREE / mutation["file"]
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutation["from"]) != 1:
        return f"stale: {mutation['from']!r} occurs {whole.count(mutation['from'])} times in {mutation['file']}"
    try:
        path.write_text(whole.replace(mutation["from"], mutation["to"]), encoding="utf-8")
        built = cargo(mutation["tests"], True)
        if built.returncode != 0:
            return "does not compile:\n" + built.stderr[-2000:]
        ran = cargo(mutation["tests"], False)
        failed = "test result: FAILED" in ran.stdout or "SIG" in ran.stderr
        return "caught" if ran.returncode != 0 and failed else "SURVIVED"
    finally:
        path.write_text(whole, encoding="utf-8")


def main(parts):
    with open(ROOT / "kernels/tests/mutations.toml", "rb") as file:
        mutations = tomllib.load(file)["mutation"]
    chosen = [mutation for mutation in mutations if not parts or any(part in mutation["name"] for part in parts)]
    if not chosen:
        sys.exit("no mutation is named so; they are in kernels/tests/mutations.toml")
    copy_tree()
    for target in sorted({mutation["tests"].split()[0] for mutation in chosen}):
        whole = cargo(target, False)
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
