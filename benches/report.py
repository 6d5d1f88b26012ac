#!/usr/bin/env python3
"""Writes what the benches printed into docs/performance.md, and draws it.

What is measured replaces what the same CPU had for the same work, size, level and peer in benches/results.tsv; rows of other CPUs stay. The
document's tables lie between comments that name them, and are made of that file alone. `scripts/bench.sh` runs this.
"""

import argparse
import csv
import datetime
import math
import os
import pathlib
import re
import statistics

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import LogLocator  # noqa: E402

plt.rcParams["svg.hashsalt"] = "veilgrid"
plt.rcParams["svg.fonttype"] = "none"

BENCHES = pathlib.Path(__file__).resolve().parent
RESULTS = BENCHES / "results.tsv"
DOCUMENT = BENCHES.parent / "docs/performance.md"
PLOT = BENCHES.parent / "docs/plots/kernels.svg"

# As the programs print them, behind what is told of the machine.
PRINTED = ["table", "work", "size", "level", "unit", "ours", "peer", "theirs", "ratio", "half", "wanted"]
COLUMNS = ["cpu", "day", "load", *PRINTED]
KEY = ["cpu", "table", "work", "size", "level", "peer"]
TITLES = {
    "noise": "Noise",
    "streams": "Keystream and masks",
    "ring": "Sums and products in the first-level cache",
    "bits": "Bit vectors and bit planes",
    "matmul": "Matrices",
    "fields": "Prime fields",
    "Shamir": "Shamir's scheme",
    "cores": "Several cores, by the clock on the wall",
}
COLORS = {"scalar": "#888888", "avx2": "#1f6f8b", "avx512": "#c1592e", "ifma": "#7a4d9e", "amx": "#3c7d3c"}


def machine():
    """The CPU as the system names it, and how many it has."""
    said = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        said.setdefault(name.strip(), value.strip())
    name = said.get("model name", "unknown CPU").replace("(R)", "").replace("(TM)", "").replace(" Processor", "")
    return f"{name} (family {said.get('cpu family')} model {said.get('model')}), {os.cpu_count()} CPUs"


def read_results():
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def merge(rows, new):
    """`rows` with what is new in the place of what it replaces, or at the end."""
    places = {tuple(row[name] for name in KEY): i for i, row in enumerate(rows)}
    for row in new:
        key = tuple(row[name] for name in KEY)
        if key in places:
            rows[places[key]] = row
        else:
            places[key] = len(rows)
            rows.append(row)
    return rows


def write_results(rows):
    rows.sort(key=lambda row: (list(TITLES).index(row["table"]), row["work"], natural(row["size"]), row["peer"], *machine_of(row)))
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def natural(text):
    """As a reader sorts it: 16 before 1,024."""
    return [part.rjust(12) for part in re.split(r"(\d+)", text)]


def machine_of(row):
    """The vendor's name, then the level."""
    return row["cpu"], list(COLORS).index(row["level"])


def cell(row):
    if not row["peer"]:
        return ["", "", "", ""]
    missed = row["wanted"] and float(row["ratio"]) < float(row["wanted"])
    ratio = f"**{row['ratio']}**" if missed else row["ratio"]
    return [row["peer"], row["theirs"], f"{ratio} ({row['half']})", row["wanted"]]


def tables(rows):
    letters = {cpu: chr(ord("A") + i) for i, cpu in enumerate(sorted({row["cpu"] for row in rows}))}
    yield "| | CPU | measured | load average before |\n|---|---|---|---|"
    for cpu, letter in letters.items():
        own = [row for row in rows if row["cpu"] == cpu]
        days = sorted({row["day"] for row in own})
        loads = sorted({float(row["load"]) for row in own if row["load"]})
        span = f"{loads[0]:g} to {loads[-1]:g}" if loads else ""
        yield f"| {letter} | {cpu} | {' to '.join(dict.fromkeys([days[0], days[-1]]))} | {span} |"
    for table, title in TITLES.items():
        own = [row for row in rows if row["table"] == table]
        if not own:
            continue
        yield f"\n### {title}\n"
        yield "| work | size | CPU, level | Veilgrid | beside | its figure | ratio (of the middle half of the rounds) | at least |"
        yield "|---|---|---|---|---|---|---|---|"
        before = None
        for row in own:
            what = [row["work"], row["size"]]
            shown = ["", ""] if what == before else what
            before = what
            at = f"{letters[row['cpu']]}, {row['level']}"
            yield "| " + " | ".join([*shown, at, f"{row['ours']} {row['unit']}", *cell(row)]) + " |"


def replace(name, text):
    """Puts `text` where the document has its part of this name."""
    begin, end = f"<!-- {name}: written by make bench -->\n", f"<!-- end of {name} -->\n"
    document = DOCUMENT.read_text()
    head, _, rest = document.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{DOCUMENT} has no place for {name}: it lies between {begin.strip()} and {end.strip()}")
    DOCUMENT.write_text(f"{head}{begin}{text.strip()}\n{end}{tail}")


def draw(path):
    """A panel for each kind of work, a line for each level: the middle of what was printed for a point."""
    works = {}
    for line in path.read_text().splitlines():
        work, level, size, rate = line.split("\t")
        works.setdefault(work, {}).setdefault(level, {}).setdefault(int(size), []).append(float(rate))
    across = 3
    down = math.ceil(len(works) / across)
    figure, panels = plt.subplots(down, across, figsize=(3.4 * across, 2.5 * down))
    for axes in panels.flat[len(works):]:
        axes.remove()
    for axes, (work, levels) in zip(panels.flat, works.items()):
        for level, points in levels.items():
            middles = [(size, statistics.median(rates)) for size, rates in points.items()]
            axes.plot(*zip(*middles), marker=".", linewidth=1, color=COLORS[level], label=level)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_title(work, fontsize=9)
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        axes.set_xlabel("rows and columns" if "matrices" in work else "elements at once", fontsize=7)
    for row in panels:
        row[0].set_ylabel("millions a second", fontsize=7)
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    figure.legend(lines.values(), lines.keys(), loc="upper center", ncol=len(lines), fontsize=8, frameon=False)
    figure.suptitle(f"{machine()}, one core", y=0.005, va="bottom", fontsize=8)
    figure.tight_layout(rect=(0, 0.02, 1, 0.97))
    figure.savefig(PLOT, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=pathlib.Path, nargs="*", help="what the programs printed")
    parser.add_argument("--load", default="", help="load average before they ran")
    parser.add_argument("--curves", type=pathlib.Path, help="what the program curves printed")
    parser.add_argument("--jobs", type=pathlib.Path, help="what job.py and secure_sum printed")
    options = parser.parse_args()
    new = []
    for path in options.rows:
        for line in path.read_text().splitlines():
            told = dict(zip(PRINTED, line.split("\t"), strict=True))
            new.append({"cpu": machine(), "day": str(datetime.date.today()), "load": options.load, **told})
    rows = merge(read_results(), new)
    write_results(rows)
    replace("kernels", "\n".join(tables(rows)))
    if options.curves:
        draw(options.curves)
    if options.jobs:
        replace("jobs", options.jobs.read_text())


if __name__ == "__main__":
    main()
