#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what selftests/bench/run.sh has printed into results.json and report.md.

A row's value is the median of its rounds, for one operation; its ratio is that to
its peer's value in the same run.

usage: bench-report.py [--unit UNIT] RAW_LOG DIRECTORY
"""

import argparse
import json
import pathlib
import re
import statistics

# Row, its name in the log, its peer there, the ratio it should reach or None.
ROWS = [
    ("switch", "switch", "kthread_pingpong", 0.03),
    ("chan_roundtrip", "chan_roundtrip", "kthread_pingpong", 0.10),
    ("call", "call", "queue_flush", 0.05),
    ("queue_wait", "queue_wait", "queue_flush", 1.10),
    ("spawn", "spawn", "kthread_run_stop", 0.05),
    ("grow_inplace", "grow_inplace_8k", "kthread_pingpong", 0.15),
    ("grow_copy_8k", "grow_copy_8k", "grow_inplace_8k", None),
    ("grow_copy_16k", "grow_copy_16k", "grow_inplace_8k", None),
    ("grow_copy_32k", "grow_copy_32k", "grow_inplace_8k", None),
    ("grow_copy_64k", "grow_copy_64k", "grow_inplace_8k", None),
    ("grow_copy_8k_large", "grow_copy_8k_large", "grow_inplace_8k", None),
    ("grow_copy_16k_large", "grow_copy_16k_large", "grow_inplace_8k", None),
    ("grow_copy_32k_large", "grow_copy_32k_large", "grow_inplace_8k", None),
    ("grow_copy_64k_large", "grow_copy_64k_large", "grow_inplace_8k", None),
    ("climb_inplace", "climb_inplace", "climb_peer", None),
    ("climb_copy", "climb_copy", "climb_peer", None),
    ("steady", "steady", "steady_peer", 1.02),
    ("bytes_parked", "bytes_parked", "bytes_kthread", 0.18),
    ("pagefault_tax", "pagefault_with", "pagefault_without", 1.005),
    ("irq_replay", "irq_replay", "irq_deliver", None),
    ("ensure_hit", "ensure_hit", "empty_call", None),
]

NOTE = """What this says: guest instructions, as QEMU's emulator counts them under
`-icount shift=0` with one CPU, on a stock Debian kernel; `bytes_parked` is bytes.
What it does not: anything of time on silicon, where caches, the TLB and the cost of
an exception count and instructions do not. A `rep movs` counts one an iteration.
"""


def read_log(path):
    """Returns what is known of the host, and {row: [value of a round, ...]}."""
    host, samples = {}, {}
    for line in path.read_text().splitlines():
        if match := re.match(r"# (kernel|cpu|clocksource) (.*)", line):
            host[match[1]] = match[2]
        elif re.match(r"[a-z][a-z_0-9]* \d+( -?\d+)+$", line):
            name, count, *rounds = line.split()
            samples.setdefault(name, []).extend(int(r) / int(count) for r in rounds)
    return host, samples


def make_rows(samples):
    rows = []
    for name, key, peer, reach in ROWS:
        if key not in samples or peer not in samples:
            continue
        value = statistics.median(samples[key])
        peer_value = statistics.median(samples[peer])
        rows.append({
            "name": name, "value": round(value, 2), "peer": peer,
            "peer_value": round(peer_value, 2), "ratio": round(value / peer_value, 4),
            "n": len(samples[key]), "reach": reach,
        })
    return rows


def report(host, unit, rows):
    lines = [f"# costack benchmarks, {host.get('kernel', '?')}, {unit}", "",
             "| row | value | peer | peer's | ratio | reach | |",
             "| --- | ---: | --- | ---: | ---: | ---: | --- |"]
    for row in rows:
        reach, met = row["reach"], ""
        if reach is not None:
            met = "met" if row["ratio"] <= reach else "missed"
        lines.append(f"| `{row['name']}` | {row['value']:,.0f} | `{row['peer']}` | "
                     f"{row['peer_value']:,.0f} | {row['ratio']:.3f} | "
                     f"{'' if reach is None else reach} | {met} |")
    return "\n".join(lines) + "\n\n" + NOTE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unit", default="ns")
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    args = parser.parse_args()

    host, samples = read_log(args.log)
    rows = make_rows(samples)
    if not rows:
        parser.exit(1, f"bench-report.py: no rows in {args.log}\n")
    result = {"host": host, "unit": args.unit, "rows": rows}
    (args.directory / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (args.directory / "report.md").write_text(report(host, args.unit, rows))


if __name__ == "__main__":
    main()
