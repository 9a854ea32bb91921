#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts instructions by function, and tells where those of a copy go.

Reads profile.log, the output of run.sh and symbols.sh in a VM with the plugin
selftests/bench/profile.c, and profile.places, the counts of the plugin. Writes profile.md
and profile.json.

usage: bench-profile.py DIRECTORY COSTACK_KO
"""

import bisect
import collections
import json
import pathlib
import re
import subprocess
import sys

PARTS = ["fault", "walk", "adjust", "memmove", "resume", "other"]

# The part that a function belongs to, by its name without what the compiler appends. The
# kernel's functions are those of the unwinder, except one.
PART_OF = {
    "costack_guard_entry": "fault",		# up to its last call
    "costack_guard_fault": "fault", "costack_fault": "fault", "to_host": "fault",
    "costack_replay_find": "fault",
    "costack_grow_pages": "fault", "native_apic_mem_read": "fault",
    "costack_newstack": "fault", "move_or_grow": "fault", "need": "fault",
    "verify": "walk", "costack_arch_walk": "walk", "walk_by_rules": "walk",
    "costack_text_movable": "walk",
    "costack_copystack": "adjust", "adjust": "adjust", "costack_roots_adjust": "adjust",
    "costack_rebase_words": "adjust", "costack_reserve_swap": "adjust",
    "costack_rebase_copy": "memmove",
    "costack_guard_newstack": "resume",
}

# The number of clock readings in a round, and which of them, counted from the end, begins
# the part that counts. A growth's round has a first reading, the climb that grows, and the
# same climb again.
READINGS = [(r"grow_", 5, 4), (r"climb_", 3, 2), (r"bytes_", 0, 0), (r"", 2, 2)]


def read_log(path):
    """Returns ([(row, count, samples), ...] in order, {row: words rebased in a round},
    symbols sorted by address)."""
    rows, rebased, symbols = [], {}, []
    for line in path.read_text().splitlines():
        if match := re.match(r"= ([0-9a-f]+) (\S+)(?:\s+\[(\S+)\])?$", line):
            symbols.append((int(match[1], 16), match[2], match[3]))
        elif match := re.match(r"@(\w+) (\d+) .* words (\d+)$", line):
            rebased[match[1]] = int(match[3]) / int(match[2])
        elif re.match(r"[a-z][a-z_0-9]* \d+( -?\d+)+$", line):
            name, count, *samples = line.split()
            rows.append((name, int(count), len(samples)))
    return rows, rebased, sorted(symbols)


def read_places(path):
    intervals = collections.defaultdict(dict)
    for line in path.read_text().splitlines():
        interval, addr, count = line.split()
        intervals[int(interval)][int(addr, 16)] = int(count)
    return intervals


def pick(rows, intervals):
    """Returns {row: (count, {address: instructions})}, of each row's last round."""
    begin, picked = 0, {}
    for name, count, samples in rows:
        per_round, back = next((n, b) for regex, n, b in READINGS if re.match(regex, name))
        begin += per_round * (samples + 1)
        if not back:
            continue
        places = dict(intervals[begin - back + 1])
        if name.startswith("grow_"):
            # Subtract the same climb without a growth.
            for addr, n in intervals[begin - 1].items():
                places[addr] = places.get(addr, 0) - n
        picked[name] = (count, {addr: n for addr, n in places.items() if n})
    return picked


def by_function(places, symbols):
    starts = [symbol[0] for symbol in symbols]
    functions = collections.defaultdict(int)
    for addr, n in places.items():
        functions[symbols[bisect.bisect_right(starts, addr) - 1]] += n
    return functions


def last_call(module):
    """The offset of the last call in costack_guard_entry."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn",
                           "--disassemble=costack_guard_entry", module],
                          check=True, capture_output=True, text=True).stdout
    addresses = re.findall(r"^ *([0-9a-f]+):\t(\w+)", text, re.M)
    return int([a for a, insn in addresses if insn == "call"][-1], 16) - int(addresses[0][0], 16)


def split(places, symbols, leave, rebase):
    """Splits the instructions of a copy. The copy is a single pass that also rebases; the rows
    tell what the @rebase words cost."""
    parts = dict.fromkeys(PARTS, 0)
    for addr, n in places.items():
        start, name, module = symbols[bisect.bisect_right([s[0] for s in symbols], addr) - 1]
        part = PART_OF.get(name.split(".")[0], "other" if module else "walk")
        if name == "costack_guard_entry" and addr - start > leave:
            part = "resume"
        parts[part] += n
    parts["adjust"] += rebase
    parts["memmove"] -= rebase
    return parts


def function_table(name, count, functions):
    total = sum(functions.values())
    lines = [f"## {name}: {total / count:,.1f} instructions", "",
             "| function | instructions | |", "| --- | ---: | ---: |"]
    for (_, function, module), n in sorted(functions.items(), key=lambda item: -item[1]):
        if n / count >= 0.5:
            lines.append(f"| `{function}`{' [' + module + ']' if module else ''} | "
                         f"{n / count:,.1f} | {100 * n / total:.1f} % |")
    return lines + [""]


def main(directory, module):
    directory = pathlib.Path(directory)
    rows, rebased, symbols = read_log(directory / "profile.log")
    results = directory / "results.json"
    word = json.loads(results.read_text())["values"].get("rebase_word", 0) \
        if results.exists() else 0
    lines, copies = ["# Instructions by function, one operation", ""], {}
    for name, (count, places) in pick(rows, read_places(directory / "profile.places")).items():
        lines += function_table(name, count, by_function(places, symbols))
        if name.startswith("grow_copy_"):
            copies[name] = split(places, symbols, last_call(module), rebased[name] * word)
    (directory / "profile.md").write_text("\n".join(lines))
    (directory / "profile.json").write_text(json.dumps(copies, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
