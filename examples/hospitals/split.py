"""Splits the Wisconsin Diagnostic Breast Cancer data into three hospitals of unequal size.

Usage: python split.py breast_cancer.csv

`breast_cancer.csv` is `sklearn/datasets/data/breast_cancer.csv` of a scikit-learn wheel: a first line with sizes and class
names, then 30 numbers and the class (0 malignant, 1 benign) of each patient. Needs `pyarrow`.
"""

import csv
import pathlib
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

MEASURES = [
    "radius", "texture", "perimeter", "area", "smoothness",
    "compactness", "concavity", "concave_points", "symmetry", "fractal_dimension",
]  # fmt: skip
COLUMNS = (
    [f"mean_{name}" for name in MEASURES]
    + [f"{name}_error" for name in MEASURES]
    + [f"worst_{name}" for name in MEASURES]
    + ["diagnosis"]
)
SIZES = {"north": 284, "south": 171, "west": 114}
SEED = 569


def read(path):
    with open(path, newline="") as file:
        _, *rows = csv.reader(file)
    return [row[:-1] + [("malignant", "benign")[int(row[-1])]] for row in rows]


def table(rows):
    columns = list(zip(*rows))
    numbers = [pa.array([float(text) for text in column], pa.float64()) for column in columns[:-1]]
    return pa.table(numbers + [pa.array(columns[-1], pa.string())], names=COLUMNS)


def main():
    here = pathlib.Path(__file__).parent
    rows = read(sys.argv[1])
    assert len(rows) == sum(SIZES.values())
    random.Random(SEED).shuffle(rows)
    north, south, west = (
        [rows.pop() for _ in range(size)] for size in SIZES.values()
    )
    with open(here / "north.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(north)
    pq.write_table(table(south), here / "south.parquet", compression="snappy", store_schema=False)
    pq.write_table(
        table(west), here / "west.parquet", compression="zstd", use_dictionary=False, row_group_size=64, store_schema=False
    )


if __name__ == "__main__":
    main()
