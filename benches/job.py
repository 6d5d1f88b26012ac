#!/usr/bin/env python3
"""Whole jobs through the `veilgrid` command, beside DuckDB over the same files in the clear.

Prints tables in Markdown and draws plots. `scripts/bench.sh` prepares its Python environment and runs it.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

NUMBERS = [f"x{i}" for i in range(9)]
KINDS = ["red", "green", "blue"]
EDGES = list(range(0, 101, 5))


def machine():
    with open("/proc/cpuinfo") as info:
        model = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    flags = open("/proc/cpuinfo").read()
    level = "AVX-512" if " avx512f " in flags else "AVX2" if " avx2 " in flags else "scalar"
    return f"{model}, {os.cpu_count()} cores, {level}, {platform.system()}"


def make_rows(path, rows, seed):
    """Nine number columns and one category, as a Parquet file."""
    numbers = ", ".join(f"round(random() * 100, 2) AS {name}" for name in NUMBERS)
    words = ", ".join(f"'{kind}'" for kind in KINDS)
    duckdb.execute(f"SELECT setseed({seed / 1000})")
    duckdb.execute(
        f"COPY (SELECT {numbers}, [{words}][1 + (random() * {len(KINDS)})::INT % {len(KINDS)}] AS kind "
        f"FROM range({rows})) TO '{path}' (FORMAT parquet, COMPRESSION snappy)"
    )


def all_statistics():
    """What the comparison with DuckDB asks: something of every column."""
    for name in NUMBERS:
        yield f"mean-{name}", f"mean: {{column: {name}}}"
        yield f"variance-{name}", f"variance: {{column: {name}}}"
    yield "rows", "count: {}\n      groupBy: kind"
    yield "spread", f"histogram: {{column: x0, edges: {EDGES}}}"


def some_statistics(count):
    """As many histograms as asked, of twenty bins each."""
    for i in range(count):
        yield f"h{i}", f"histogram: {{column: {NUMBERS[i % len(NUMBERS)]}, edges: {EDGES}}}"


def manifest(files, questions):
    parts = []
    columns = "".join(f"  - {{name: {name}, number: {{min: 0, max: 100}}}}\n" for name in NUMBERS)
    columns += f"  - {{name: kind, category: {{values: [{', '.join(KINDS)}]}}}}\n"
    for i, file in enumerate(files):
        parts.append(
            f"apiVersion: veilgrid.dev/v1alpha1\nkind: PrivacyBudget\nmetadata: {{name: b{i}}}\n"
            "spec: {epsilon: 1000000, delta: 0.1}\n"
        )
        parts.append(
            f"apiVersion: veilgrid.dev/v1alpha1\nkind: PrivateDataset\nmetadata: {{name: d{i}}}\n"
            f"spec:\n  source: {{path: {file}}}\n  budget: b{i}\n  columns:\n{columns}"
        )
    parties = "".join(f"  - {{name: p{i}, dataset: {{name: d{i}}}}}\n" for i in range(len(files)))
    asked = "".join(f"    - name: {name}\n      {body}\n" for name, body in questions)
    parts.append(
        "apiVersion: veilgrid.dev/v1alpha1\nkind: PrivateJob\nmetadata: {name: bench}\n"
        f"spec:\n  device: cpu\n  privacy: {{epsilon: 10}}\n  parties:\n{parties}  computation:\n    statistics:\n{asked}"
    )
    return "---\n".join(parts)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def job(binary, folder, files, questions, through=()):
    """Seconds of one whole job: processes, certificates, rows, protocol, report. And what it printed."""
    path = folder / "job.yaml"
    path.write_text(manifest(files, questions))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [*through, binary, "run", path, "--out", f"{scratch}/out", "--state", f"{scratch}/state"]
        done = []
        seconds = timed(lambda: done.append(subprocess.run(command, capture_output=True, text=True)))
        if done[0].returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done[0].stderr}")
        return seconds, done[0].stdout


def veilgrid(*what):
    return job(*what)[0]


# Prints the kibibytes that the largest process of a command took. A process of its own, as Linux counts for a child what its parent had
# in memory when it was started, and here that is DuckDB's.
PEAK = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
)


def peak_megabytes(*what):
    """What a party of a job took at most."""
    return int(job(*what, through=[sys.executable, "-c", PEAK])[1].split()[-1]) / 1024


def in_the_clear(files):
    """Seconds that DuckDB takes for the same aggregates, all files as one table."""
    table = f"read_parquet({[str(file) for file in files]})"
    moments = ", ".join(f"avg({name}), var_pop({name})" for name in NUMBERS)
    bins = "least(floor(x0 / 5), 19)"
    return timed(
        lambda: [
            duckdb.sql(f"SELECT {moments} FROM {table}").fetchall(),
            duckdb.sql(f"SELECT kind, count(*) FROM {table} GROUP BY kind").fetchall(),
            duckdb.sql(f"SELECT {bins}, count(*) FROM {table} GROUP BY ALL").fetchall(),
        ]
    )


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def compare(binary, folder, rows, runs):
    files = [folder / f"big{i}.parquet" for i in range(3)]
    for i, file in enumerate(files):
        make_rows(file, rows, i + 1)
    in_the_clear(files)
    pairs = [(veilgrid(binary, folder, files, all_statistics()), in_the_clear(files)) for _ in range(runs)]
    peak = peak_megabytes(binary, folder, files, all_statistics())
    ratio = [ours / theirs for ours, theirs in pairs]
    print(f"\n### A job of three parties, {rows:,} rows and 10 columns of Parquet each\n")
    print(f"{machine()}; DuckDB {duckdb.__version__}; {runs} runs in turn, median (least to greatest).\n")
    print("| Veilgrid, s | DuckDB in the clear, s | ratio | peak memory of a party, MB |")
    print("|---|---|---|---|")
    print(f"| {spread([a for a, _ in pairs])} | {spread([b for _, b in pairs])} | {spread(ratio)} | {peak:.0f} |")
    for file in files:
        file.unlink()


def curve(name, title, label, points, runs, plots, measure):
    """Measures at each point, prints a table, draws a plot."""
    print(f"\n### {title}\n\n| {label} | s, median (least to greatest) |\n|---|---|")
    medians = []
    for point in points:
        seconds = [measure(point) for _ in range(runs)]
        medians.append(statistics.median(seconds))
        print(f"| {point:,} | {spread(seconds)} |", flush=True)
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    axes.plot(points, medians, marker="o", color="#1f6f8b")
    if points[-1] / points[0] > 20:
        axes.set_xscale("log")
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(label)
    axes.set_ylabel("seconds")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(plots / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--plots", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows a party in the comparison with DuckDB")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    options.plots.mkdir(parents=True, exist_ok=True)
    binary = options.binary.resolve()
    duckdb.execute(f"SET threads = {os.cpu_count()}")
    duckdb.execute("SET enable_progress_bar = false")

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        compare(binary, folder, options.rows, options.runs)

        made = {}

        def files(rows, parties):
            for i in range(parties):
                if (rows, i) not in made:
                    made[rows, i] = folder / f"r{rows}-{i}.parquet"
                    make_rows(made[rows, i], rows, i + 1)
            return [made[rows, i] for i in range(parties)]

        few = list(some_statistics(5))
        curve("rows", "Cost against rows (3 parties, 5 histograms)", "rows a party",
              [1_000, 10_000, 100_000, 1_000_000, 10_000_000], options.runs, options.plots,
              lambda rows: veilgrid(binary, folder, files(rows, 3), few))
        curve("statistics", "Cost against statistics (3 parties, 10,000 rows)", "statistics of 20 bins",
              [1, 4, 16, 64, 256, 1000], options.runs, options.plots,
              lambda count: veilgrid(binary, folder, files(10_000, 3), list(some_statistics(count))))
        curve("parties", "Cost against parties (10,000 rows each, 5 histograms)", "parties",
              [2, 3, 4, 6, 8, 12, 16], options.runs, options.plots,
              lambda parties: veilgrid(binary, folder, files(10_000, parties), few))


if __name__ == "__main__":
    main()
