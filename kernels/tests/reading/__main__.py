"""A second reading of docs/kernels.md, written from it alone: reproduces every frozen answer.

    python3 kernels/tests/reading [FOLDER]     checks the vectors in kernels/tests/vectors, or in FOLDER
    python3 kernels/tests/reading --altered    also alters values of every field, and requires that it is noticed
"""

import copy
import json
import sys
from pathlib import Path

import chacha
import field
import fixed
import noise
import planes
import refused
import ring
import shamir
import streams
import tables
from base import Misfit, Vector

READERS = {
    "adder": planes.adder,
    "batch": ring.batch,
    "bits": planes.bits,
    "chacha": chacha.chacha,
    "drawn": tables.drawn,
    "field": field.field,
    "fixed": fixed.fixed,
    "mask": ring.mask,
    "matmul": ring.matmul,
    "matmul_m61": ring.matmul_m61,
    "noise": noise.noise,
    "ntt": field.ntt,
    "refused": refused.refused,
    "replicated": ring.replicated,
    "ring": ring.ring,
    "shamir": shamir.shamir,
    "share": ring.share,
    "stream": streams.stream,
    "truncation": fixed.truncation,
    "uniform": field.uniform,
    "vdaf": field.vdaf,
}
# Where a vector is from decides nothing, and not everything does of what is refused.
INDIFFERENT = {"chacha.source", "refused.given", "shamir.nobody", "shamir.too_few", "vdaf.source"}


def check(name, fields, place):
    """Raises where a vector does not fit."""
    vector = Vector(fields, place)
    try:
        READERS[name](vector)
    except Misfit:
        raise
    except Exception as error:
        raise Misfit(f"{place}: {type(error).__name__}: {error}") from error
    vector.whole()


def read(folder):
    """All vectors: name of the file, fields, and where they are; or what is wrong with a file."""
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in sorted(READERS.keys() - found.keys()):
        yield Misfit(f"{folder} has no {name}.json")
    for name, path in found.items():
        if name not in READERS:
            yield Misfit(f"{path} is a file that this reading does not know")
            continue
        vectors = json.loads(path.read_text(encoding="utf-8"))
        if not vectors:
            yield Misfit(f"{path} has no vector")
        for i, fields in enumerate(vectors):
            yield name, fields, f"{path.name}[{i}]"


def leaves(value, path=()):
    """The paths of all values that are neither lists nor objects."""
    if isinstance(value, (dict, list)) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    elif not isinstance(value, (dict, list)):
        yield path


def other(value):
    """Another value of the same form."""
    if value is None:
        return True
    if isinstance(value, int):
        return value + 1
    if value and value[-1] in "0123456789abcdef":
        return value[:-1] + f"{int(value[-1], 16) ^ 1:x}"
    return value + "x"


def unnoticed(vectors):
    """The fields that can be altered in every vector of a file without a fault; the vectors fit."""
    kinds = {}
    for vector in vectors:
        for path in leaves(vector[1]):
            kind = tuple(key for key in path if isinstance(key, str))
            if f"{vector[0]}.{kind[0]}" not in INDIFFERENT:
                kinds.setdefault(kind, []).append((vector, path))
    for kind, places in kinds.items():
        if not any(noticed(*vector, path) for vector, path in places):
            yield f"{places[0][0][2]}.{'.'.join(kind)}: nothing depends on it"


def noticed(name, fields, place, path):
    altered = copy.deepcopy(fields)
    inner = altered
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other(inner[path[-1]])
    try:
        check(name, altered, place)
    except Misfit:
        return True
    return False


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    folders = [argument for argument in arguments if argument not in options]
    folder = Path(folders[0]) if folders else Path(__file__).resolve().parent.parent / "vectors"
    faults, fitting = [], {}
    for vector in read(folder):
        try:
            if isinstance(vector, Misfit):
                raise vector
            check(*vector)
            fitting.setdefault(vector[0], []).append(vector)
        except Misfit as fault:
            faults.append(fault)
    if "--altered" in options:
        faults += [fault for vectors in fitting.values() for fault in unnoticed(vectors)]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{sum(map(len, fitting.values()))} vectors fit, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
