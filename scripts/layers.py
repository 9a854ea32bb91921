#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks that no layer uses a higher one.

The block below "## Layers" in module/README.md lists the layers: each line names files of
module/, and, after two spaces or more, what they do. A file may use files that stand
further down, or further to the right in the same line. Two things count as use: an
#include "...", and a symbol that one object needs and another defines. A name with ".c"
also stands for its header, unless the header has a place of its own.

usage: scripts/layers.py [OBJECTS]
  OBJECTS   directory of a build, with module/*.o: checks the symbols too
"""

import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
MODULE = TOP / "module"

# The fault entry calls growth: the contract (fault.h) allows this one exception.
FROM_THE_FAULT = {"costack_fault", "costack_fault_has_room", "costack_newstack",
                  "costack_note_replay"}

# The build defines these in one object, and each object with functions to judge uses them.
OF_THE_BUILD = re.compile(r"costack_verdict_ops$")


def fail(*lines):
    print(*lines, sep="\n")
    sys.exit(1)


def read_layers():
    """The rank of each name: 0 is the highest."""
    text = (MODULE / "README.md").read_text()
    block = re.search(r"^## Layers\n.*?^```\n(.*?)^```", text, re.M | re.S)
    if not block:
        fail("module/README.md has no block of layers below '## Layers'")
    names = []
    for line in block[1].splitlines():
        # A line that begins with a space continues the description of the line before.
        names += re.split(r"\s{2,}", line)[0].split()
    rank = {name: i for i, name in enumerate(names)}
    if len(rank) != len(names):
        fail("named twice: " + " ".join(sorted({n for n in names if names.count(n) > 1})))
    return rank


def layer_of(path, rank):
    """The name under which a file or object below module/ has a place, or None."""
    path = pathlib.PurePath(path)
    if path.parts[0] == "arch":
        return "/".join(path.parts[:2])
    for name in (path.name, path.stem + ".c"):
        if name in rank:
            return name
    return None


def sources():
    for path in sorted(MODULE.glob("*.[ch]")) + sorted(MODULE.glob("arch/**/*.[chS]")):
        yield path, path.relative_to(MODULE)


def uses_of_headers():
    for path, name in sources():
        for i, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'#include "([^"]+)"', line)
            if not match:
                continue
            used = pathlib.Path(os.path.normpath(path.parent / match[1]))
            if used.is_relative_to(MODULE):
                yield (f"module/{name}:{i}", str(name), str(used.relative_to(MODULE)),
                       f"includes {match[1]}")


def symbols(objects):
    """What each object defines, and what it needs."""
    defined, needed = {}, {}
    for path in sorted(objects.glob("module/*.o")) + sorted(objects.glob("module/arch/*/*.o")):
        name = str(path.relative_to(objects / "module"))
        out = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                needed.setdefault(name, []).append(symbol)
            elif kind.isupper():
                defined[symbol] = name
    return defined, needed


def uses_of_symbols(objects):
    defined, needed = symbols(objects)
    if not needed:
        fail(f"{objects} has no module/*.o: nothing to look at")
    for name, wanted in needed.items():
        for symbol in wanted:
            used = defined.get(symbol)
            if not used or OF_THE_BUILD.match(symbol):
                continue
            if name.startswith("arch/") and symbol in FROM_THE_FAULT:
                continue
            yield f"module/{name}", name, used, f"needs {symbol} of {used}"


def main():
    if len(sys.argv) > 2 or any(arg.startswith("-") for arg in sys.argv[1:]):
        fail(__doc__.strip())
    rank = read_layers()
    bad = []
    for _, name in sources():
        if layer_of(name, rank) is None:
            bad.append(f"module/{name} has no place among the layers of module/README.md")
    for name in rank:
        if not (MODULE / name).exists():
            bad.append(f"module/README.md gives {name} a place, and there is no such file")
    uses = list(uses_of_headers())
    if len(sys.argv) > 1:
        uses += uses_of_symbols(pathlib.Path(sys.argv[1]))
    for place, user, used, how in uses:
        upper, lower = layer_of(user, rank), layer_of(used, rank)
        if upper is None or lower is None or upper == lower:
            continue
        if rank[upper] > rank[lower]:
            bad.append(f"{place}: {how}: {lower} is above {upper}")
    if bad:
        fail(*bad)


main()
