"""Draws what veilgrid-bench-cluster measured: plot.py JSON DIRECTORY."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

plt.rcParams["svg.hashsalt"] = "veilgrid"


def draw(path, title, x, y, lines, limit=None):
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    for name, points, color in lines:
        axes.plot(*zip(*points), marker="o", color=color, label=name, clip_on=False)
    if limit:
        axes.axhline(limit[1], color="#999999", linestyle="--", linewidth=1, label=limit[0])
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if limit or len(lines) > 1:
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main():
    measured = json.loads(pathlib.Path(sys.argv[1]).read_text())
    plots = pathlib.Path(sys.argv[2])
    if waiting := measured.get("waitingKiB"):
        points = [(count, resident / 1024) for count, resident in waiting]
        draw(plots / "operator-memory.svg", "The operator's memory against jobs that wait", "jobs", "RSS, MiB",
             [("measured", points, "#1f6f8b")])
    if finished := measured.get("finished"):
        own = [(row["all"], sum(row["operatorWrites"].values()) / row["jobs"]) for row in finished]
        draw(plots / "operator-writes.svg", "The operator's writes a job", "jobs ended in all", "writes a job",
             [("measured", own, "#1f6f8b")], ("target", 26))


if __name__ == "__main__":
    main()
