#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes results and reports from the figures that selftests/bench/run.sh has printed.

A row's value is the median of its rounds, for one operation. Its ratio is the value
divided by its peer's value in the same run. The report gives the reason (REASONS below)
why a row misses its reach.

usage: bench-report.py report LOG DIRECTORY	results.json and report.md
       bench-report.py compare RESULTS BASELINE	TAP: is a row over 10 % worse
       bench-report.py baseline RESULTS BASELINE README
						write the baseline, and README's table
       bench-report.py native RESULTS NATIVE README
						write the rows of "bench.sh native" that
						have a reach, and README's table of them
       bench-report.py readme BASELINE NATIVE README
						are README's tables what these files say
       bench-report.py kernels REASONS REPORT NAME=RESULTS...
						kernels side by side, to REPORT; fails if a
						row is over 10 % worse than with the first
						and REASONS does not say why
"""

import json
import pathlib
import re
import statistics
import sys

# Row, its name in the log, its peer in the log, the ratio to reach or None, a description.
ROWS = [
    ("switch", "switch", "kthread_pingpong", 0.035, "park and unpark, there and back"),
    ("switch_packed", "switch_packed", "kthread_pingpong", None,
     "the same, the stack packed at each park"),
    ("chan_roundtrip", "chan_roundtrip", "kthread_pingpong", 0.09,
     "unbuffered channels, there and back"),
    ("select2", "select2", "chan_roundtrip", None, "`costack_select()`, one of two channels ready"),
    ("mutex", "mutex", "mutex_peer", 1.5, "a mutex that is free, locked and unlocked"),
    ("mutex_handover", "mutex_handover", "mutex_handover_peer", 0.1,
     "mutexes handed over, there and back"),
    ("call", "call", "queue_flush", 0.05, "`costack_call()`, empty function"),
    ("queue_wait", "queue_wait", "queue_flush", 1.05, "`costack_queue()`, `costack_wait()`"),
    ("spawn", "spawn", "kthread_run_stop", 0.05, "the same by a coroutine, item allocated"),
    ("spawn_more_workers", "spawn_4_workers", "kthread_run_stop", None,
     "the same, four workers for one CPU"),
    ("group_8", "group_8", "queue_flush_8", None,
     "eight children of a group, started and waited for; the peer: eight kernel work items"),
    ("grow_inplace", "grow_inplace_8k", "kthread_pingpong", 0.15, "one fault, one page mapped"),
    ("grow_copy_8k", "grow_copy_8k", "grow_inplace_8k", None, "one fault, moved to 8 KiB"),
    ("grow_copy_16k", "grow_copy_16k", "grow_inplace_8k", None, "to 16 KiB"),
    ("grow_copy_32k", "grow_copy_32k", "grow_inplace_8k", None, "to 32 KiB"),
    ("grow_copy_64k", "grow_copy_64k", "grow_inplace_8k", None, "to 64 KiB"),
    ("grow_copy_8k_large", "grow_copy_8k_large", "grow_inplace_8k", None,
     "to 8 KiB, frames of 1 KiB"),
    ("grow_copy_16k_large", "grow_copy_16k_large", "grow_inplace_8k", None, "to 16 KiB"),
    ("grow_copy_32k_large", "grow_copy_32k_large", "grow_inplace_8k", None, "to 32 KiB"),
    ("grow_copy_64k_large", "grow_copy_64k_large", "grow_inplace_8k", None, "to 64 KiB"),
    ("walk", "walk", "walk_reach", 1.0, "of that, a frame; the reach is 70"),
    ("walk_first", "walk_first", "walk_first_reach", 1.0,
     "the same, of frames that have not moved before; the reach is 300"),
    ("copy_kib", "copy_kib", "memcpy_1k", 3.3, "of that, a KiB copied and looked at"),
    ("climb_inplace", "climb_inplace", "climb_peer", None, "recursion from 4 to 64 KiB"),
    ("climb_copy", "climb_copy", "climb_peer", 12, "recursion from 4 to 64 KiB"),
    ("steady", "steady", "steady_peer", 1.02, "the same recursion once grown"),
    ("grown_after_warmup", "grown_after_warmup", "grown_reach", 1.0,
     "items of one function that grow once it is known, per cent; the reach is 1"),
    ("bytes_parked", "bytes_parked", "bytes_kthread", 0.18, "memory of one that waits, bytes"),
    ("bytes_packed", "bytes_packed", "bytes_kthread", None, "the same, packed"),
    ("bytes_packed_1m", "bytes_packed_1m", "bytes_reach", 1.0,
     "of 1,000,000 packed, in 2 GiB; the reach is 1,024"),
    ("pack", "pack", "pack_reach", 1.0,
     "packing the stack of one that parks in four frames; the reach is 1,500"),
    ("unpack", "unpack", "pack_reach", 1.0, "unpacking it, likewise"),
    ("pack_all", "pack_all", None, None,
     "one of a thousand that are packed by the file `pack`, and its page freed"),
    ("spawn_at_1m", "spawn_at_1m", "spawn_at_10", 1.10,
     "`spawn` beside 1,000,000 packed items that wait; the peer: beside 10"),
    ("switch_at_1m", "switch_at_1m", "switch_at_10", 1.10, "`switch`, likewise"),
    ("wake_all_1m", "wake_all_1m", "switch", 4,
     "one of 1,000,000 that are woken, unpacked, and run to their end"),
    ("pagefault_tax", "pagefault_with", "pagefault_without", 1.005,
     "a user page fault with a coroutine running"),
    ("irq_replay", "irq_replay", "irq_deliver", None, "interrupt that found no room, to handler"),
    ("ensure_hit", "ensure_hit", "empty_call", None, "`costack_ensure()` with room"),
    # Of "bench.sh native": the reaches of these are ratios of ns.
    ("switch_native", "native_park", "go_pull", 1.0,
     "park and unpark, there and back; Go: `iter.Pull()`"),
    ("chan_native", "native_chan", "go_chan_roundtrip", 0.5, "unbuffered channels, there and back"),
    ("stack_switch", "native_switch", None, None, "two stack switches, in and out"),
    ("rebase_kib", "native_copy", "native_memcpy", None, "a KiB copied, with no pointer"),
    ("rebase_kib_pointers", "native_copy_pointers", "native_memcpy", None,
     "a KiB copied, one word in eight a pointer"),
    ("pool", "native_pool", "native_cache", None,
     "one page's stack from the pool, and back; the peer has no locks here"),
    ("pool_zeroed", "native_pool", "native_cache_zeroed", None,
     "the same, and a peer that clears as it does"),
    ("go_parked", "go_parked", None, None, "Go: a goroutine that waits, bytes"),
    ("go_growth_frame", "go_growth_frame", None, None, "Go: growth, a frame of a deep climb"),
]

# Why a row misses its reach, according to "bench.sh profile ROW".
REASONS = {
    "switch": """each way takes 166 instructions. The unpark takes 35: 10 find the coroutine that
calls, 10 wake the other one. The park takes 42: 10 find the coroutine, 31 check that nothing of
the thread is set or held. The hand-over takes 62: 23 decide whether the host loop is needed, for
either coroutine, and 12 pass the thread on, with what it lends. The switch of stacks takes 16,
the loop of the benchmark 7. One turn in 64 goes through the host loop, which makes 4 for each.
Three of all these are locked: they count as one each here, but on silicon they are the most
expensive part.""",
    "switch_native": """it has four locked instructions for each hand-over, and Go's coroswitch
three. `iter.Pull()` resumes its iterator in one step, from the one goroutine that may. Here the
unpark may come from any CPU, and the park is a second step.""",
    "chan_roundtrip": """it contains two hand-overs, as `switch` does: 157 instructions, and 7 for
the host loop. The four operations take 87 each to find the coroutine, to check whether it may
park, and for the channel's queue; the channel's lock takes 17 each time, each of the two wake-ups
20, the loop of the benchmark 28.""",
    "queue_wait": """two context switches and a wake-up of the kernel's scheduler, which the peer
has, too, are some 5,000 of it. 850 are ours: the coroutine, the lists and locks of items and of
runners. The peer has a workqueue in their place.""",
    "walk": """a frame that has numbers in it takes some twenty instructions more, to note
which words they are.""",
    "copy_kib": """each word is copied, by one step of a `rep movs`, and then compared with
the upper half of the stack's addresses, by two instructions: that is 384. The rest belongs to
the loop and to large frames: noting which of their words are numbers.""",
}

# Rows of the kernel's own means: a comparison of costack does not judge them.
PEERS = {"kthread_pingpong", "queue_flush", "kthread_run_stop", "empty_call", "memcpy_1k",
         "words_1k", "climb_peer", "steady_peer", "pagefault_without", "irq_deliver",
         "bytes_kthread", "walk_reach", "walk_first_reach", "bytes_reach", "pack_reach",
         "spawn_at_10", "switch_at_10", "grown_reach", "mutex_peer",
         "mutex_handover_peer"}

# Rows that are not compared: spawn_4_workers is a matter of luck, see run.sh; the rebasing
# of a word is part of rows that are compared; most of wake_all_10 is one wait.
NOT_COMPARED = {"spawn_4_workers", "rebase_word", "walk_reach", "walk_first_reach",
                "bytes_reach", "pack_reach", "grown_reach", "wake_all_10"}

TOLERANCE = 1.10

MARKS = {part: tuple(f"<!-- {mark}: scripts/bench.sh {part} -->" for mark in ("begin", "end"))
         for part in ("baseline", "native readme")}

NOT_SAID = """The counts say nothing about time on silicon, which depends on caches, the TLB,
the pipeline, and the cost of exceptions and locked instructions. Here each instruction
counts as one, and so does each step of a `rep movs` or `rep stos`."""

NATIVE = """In user-mode Linux, which is built for one CPU. costack is built in it as for
several: atomic operations and spinlocks have locked instructions, a counter is one
instruction, and the question whether interrupts are off reads the CPU's flags. A kernel has
costs that this leaves out: `cli` and `sti` around the lock of a channel (here calls that set a
variable), the mitigations of the CPU's faults (return thunks), a count of preemption where the
kernel has one, and real interrupts.

In each turn costack has its rounds, and then Go. Go has one P (`GOMAXPROCS=1`), as costack has
one worker: nothing is woken in another thread."""

COPY = """`walk` and `copy_kib` are differences of rows: frames of 64 bytes and of 1 KiB that
fill the same bytes differ in the number of frames walked; the same frames in 4 and in 32 KiB
differ in the bytes; and frames of 1 KiB with many pointers and with one differ in the words
rebased. They predict the other rows of frames of 64 bytes and 1 KiB to within a per cent.

copy-split counts instructions by function, in profile.md, in a run of its own with a plugin
of QEMU. *Fault* is the part from the first instruction of the gate to the decision on the
host stack; *walk* is the unwinder and the code that calls it; *memmove* is the pass over the
words, without the cost of rebasing; *adjust* is that cost, the roots and the registers;
*resume* is the way back."""


# === Measurements ===

def read_log(path):
    """Returns (facts about the host, {name: {count: [round, ...]}},
    {name: (frames, words copied, words rebased) of one round})."""
    host, samples, copies = {}, {}, {}
    for line in path.read_text().splitlines():
        if match := re.match(r"# ([a-z]+) (.+)", line):
            host[match[1]] = match[2]
        elif re.match(r"[a-z][a-z_0-9]* \d+( -?\d+)+$", line):
            name, count, *rounds = line.split()
            by_count = samples.setdefault(name, {})
            by_count.setdefault(int(count), []).extend(int(r) / int(count) for r in rounds)
        elif match := re.match(r"@(\w+) (\d+) frames (\d+) bytes (\d+) words (\d+)", line):
            frames, size, rebased = (int(match[i]) / int(match[2]) for i in (3, 4, 5))
            copies[match[1]] = (frames, size / 8, rebased)
    return host, samples, copies


def split_copies(values, copies):
    """Computes the cost of a frame, a KiB and a rebased word, from rows that differ in one."""
    need = ["grow_copy_64k", "grow_copy_64k_large", "grow_copy_8k_large",
            "grow_copy_64k_pointers"]
    if not all(name in values and name in copies for name in need):
        return {}
    small, large, little, pointers = ((values[name], *copies[name]) for name in need)
    rebase = (pointers[0] - large[0]) / (pointers[3] - large[3])

    def rest(one, other):
        return one[0] - other[0] - rebase * (one[3] - other[3])

    walk = (rest(small, large)) / (small[1] - large[1])
    word = (rest(large, little) - walk * (large[1] - little[1])) / (large[2] - little[2])
    split = {"walk": walk, "copy_kib": word * 128, "rebase_word": rebase, "walk_reach": 70}
    # The same frames and words, so the same difference.
    first = [values.get(f"grow_first_64k{kind}") for kind in ("", "_large")]
    if None not in first:
        more = (first[0] - first[1]) - (small[0] - large[0])
        split |= {"walk_first": walk + more / (small[1] - large[1]), "walk_first_reach": 300}
    return split


def quartiles(rounds):
    return [round(q, 2) for q in statistics.quantiles(rounds, n=4)[::2]]


def measure(log):
    host, samples, copies = read_log(log)
    series = {name: {count: round(statistics.median(rounds), 2)
                     for count, rounds in sorted(by_count.items())}
              for name, by_count in samples.items()}
    # The row is the one with the largest count; the others are points of a plot.
    values = {name: points[max(points)] for name, points in series.items()}
    unit = host.get("unit", "ns")
    if unit == "instructions":
        values |= {name: round(value, 2) for name, value in split_copies(values, copies).items()}
    if "bytes_packed_1m" in values:
        values["bytes_reach"] = 1024
    if all(f"{name}packed" in values for name in ("wake_", "switch_deep_")):
        values["unpack"] = round(values["wake_packed"] - values["wake_plain"], 2)
        both = (values["switch_deep_packed"] - values["switch_deep"]) / 2
        values["pack"] = round(both - values["unpack"], 2)
        values["pack_reach"] = 1500
    if "grown_after_warmup" in values:
        values["grown_reach"] = 1
    rounds = {name: by_count[max(by_count)] for name, by_count in samples.items()}
    numbers = {name: len(each) for name, each in rounds.items()}
    spread = {} if unit == "instructions" else \
        {name: quartiles(each) for name, each in rounds.items() if len(each) > 1}
    return {
        "host": host, "unit": unit, "rows": make_rows(values, numbers, unit, spread),
        "values": values, "copies": copies,
        "series": {name: points for name, points in series.items() if len(points) > 1},
    }


def make_rows(values, numbers=None, unit="instructions", spread=None):
    """A reach is a ratio of instructions, or of ns for a row of "bench.sh native"."""
    rows, spread = [], spread or {}
    for name, key, peer, reach, what in ROWS:
        if key not in values or (peer and peer not in values):
            continue
        rows.append({
            "name": name, "value": values[key], "peer": peer,
            "peer_value": values[peer] if peer else None,
            "ratio": round(values[key] / values[peer], 4) if peer else None,
            "n": (numbers or {}).get(key, 1), "what": what,
            "reach": reach if (unit != "instructions") == key.startswith("native_") else None,
            "quartiles": spread.get(key), "peer_quartiles": spread.get(peer),
        })
    return rows


# === The report ===

def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def with_quartiles(value, quarters):
    shown = f" ({number(quarters[0])} to {number(quarters[1])})" if quarters else ""
    return number(value) + shown


def table(rows):
    lines = ["| row | | costack | peer | its figure | ratio | reach |",
             "| --- | --- | ---: | --- | ---: | ---: | --- |"]
    for row in rows:
        reach = row["reach"]
        met = "" if reach is None else \
            f"{reach}, {'met' if row['ratio'] <= reach else 'missed'}"
        its = with_quartiles(row["peer_value"] or 0, row.get("peer_quartiles"))
        peer = f"`{row['peer']}` | {its} | {row['ratio']:.3f}" if row["peer"] else "| |"
        lines.append(f"| `{row['name']}` | {row['what']} | "
                     f"{with_quartiles(row['value'], row.get('quartiles'))} | {peer} | {met} |")
    return lines


def missed(rows):
    return [row for row in rows if row["reach"] is not None and row["ratio"] > row["reach"]]


def reasons(rows):
    lines = []
    for row in missed(rows):
        reason = REASONS.get(row["name"], "**no reason is known**").replace("\n", " ")
        lines.append(f"- `{row['name']}` ({row['ratio']:.3f} for {row['reach']}): {reason}")
    return ["Rows that miss their reach, and why:", "", *lines] if lines else []


def where(host, unit):
    if unit != "instructions":
        go = f", Go {host['go']}" if "go" in host else ""
        return [f"In ns, on {host.get('cpu', '?')}, {host.get('cpus', '?')} CPUs, "
                f"kernel {host.get('kernel', '?')}, clock {host.get('clocksource', '?')}{go}. "
                f"The medians of {host.get('rounds', 'several')} rounds, and the quartiles; other "
                "load on the machine is in them.",
                *(["", *NATIVE.splitlines()] if go else [])]
    return [f"In guest instructions, as {host.get('qemu', 'QEMU')} counts them, with "
            f"`{host.get('flags', '?')}`: kernel {host.get('kernel', '?')}, one CPU. "
            "The medians of several rounds; `bytes_parked` is in bytes of 10,000 that wait, "
            "without their page tables.",
            "", *NOT_SAID.splitlines()]


def report(result):
    host, rows = result["host"], result["rows"]
    lines = [f"# costack benchmarks, {host.get('kernel', '?')}, {result['unit']}", "",
             *where(host, result["unit"]), "", *table(rows), "", *reasons(rows), ""]
    if "walk" in result["values"]:
        lines += ["How the cost of a copy is split:", "", *COPY.splitlines()]
    return "\n".join(lines).rstrip() + "\n"


# === Kernels side by side ===

def percent(value, base):
    return f"{100 * (value / base - 1):+.1f} %"


def read_reasons(path):
    """Returns {(kernel, row): (per cent when the reason was found, reason)}."""
    return {(entry["kernel"], row): (seen, entry["reason"])
            for entry in json.loads(path.read_text()) for row, seen in entry["rows"].items()}


def judge(kernels, known):
    """Returns (failures, notes, {reason: ["`row` on KERNEL +n %", ...]}). A reason explains
    the figure for which it was found; it does not explain one that is over 10 % worse."""
    failures, told, explained = [], [], {}
    (first, base), *others = kernels.items()
    for name, rows in others:
        for row in base | rows:
            if row in PEERS | NOT_COMPARED:
                continue
            if row not in base or row not in rows:
                failures.append(f"{row}: not measured on {first if row not in base else name}")
                continue
            seen, reason = known.get((name, row), (0, None))
            worse = f"{number(rows[row])} on {name}, {number(base[row])} on {first}, " \
                    f"{percent(rows[row], base[row])}"
            if rows[row] > base[row] * (1 + seen / 100) * TOLERANCE:
                failures.append(f"{row}: {worse}, and " + (
                    f"its reason is for {seen:+} %" if reason else "no reason is given"))
            elif rows[row] <= base[row] * TOLERANCE and reason:
                told.append(f"{row}: {worse}: the reason given no longer applies")
            elif reason:
                explained.setdefault(reason, []).append(
                    f"`{row}` on {name} ({percent(rows[row], base[row])})")
    told += [f"{row} on {name}: a reason is given, and there is no such row"
             for name, row in known if name in kernels and row not in base | kernels[name]]
    return failures, told, explained


def side_by_side(kernels, rows):
    first, *others = kernels
    lines = ["| row | " + " | ".join([first, *(f"{name} | " for name in others)]) + " |",
             "| --- " + "| ---: " * (2 * len(others) + 1) + "|"]
    for row in rows:
        values = [kernels[name].get(row) for name in kernels]
        cells = [number(values[0]) if values[0] is not None else "?"]
        for value in values[1:]:
            both = None not in (value, values[0])
            cells += ["?" if value is None else number(value),
                      percent(value, values[0]) if both else ""]
        lines.append(f"| `{row}` | " + " | ".join(cells) + " |")
    return lines


def report_kernels(results, known):
    """Returns (the report, failures, notes)."""
    kernels = {name: result["values"] for name, result in results.items()}
    failures, told, explained = judge(kernels, known)
    first, host = next(iter(results)), next(iter(results.values()))["host"]
    every = list(dict.fromkeys(row for values in kernels.values() for row in values))
    releases = ", ".join(result["host"].get("kernel", "?") for result in results.values())
    lines = ["# costack on several kernels, instructions", "",
             *where(host | {"kernel": releases}, "instructions"), "",
             f"The differences are to {first}. Our rows:", "",
             *side_by_side(kernels, [row for row in every if row not in PEERS]), "",
             f"Not judged: {', '.join(sorted(NOT_COMPARED - PEERS))}; and the kernel's own means, "
             "the peers:", "",
             *side_by_side(kernels, [row for row in every if row in PEERS - NOT_COMPARED]), ""]
    if failures:
        lines += [f"**Over 10 % worse than on {first} without a reason:**", "",
                  *(f"- {failure}" for failure in failures), ""]
    if explained:
        lines += [f"Over 10 % worse than on {first}, and why:", "",
                  *(f"- {', '.join(where_seen)}: {reason}"
                    for reason, where_seen in explained.items()), ""]
    if not failures and not explained:
        lines += [f"No row of ours is over 10 % worse than on {first}.", ""]
    if told:
        lines += ["To be taken out of reasons.json:", "", *(f"- {line}" for line in told), ""]
    return "\n".join(lines), failures, told


def write_kernels(reasons_path, path, named):
    results, failures = {}, []
    for name, _, file in (entry.partition("=") for entry in named):
        if pathlib.Path(file).exists():
            results[name] = json.loads(pathlib.Path(file).read_text())
        else:
            failures.append(f"Linux {name}: not measured, there is no {file}")
    if not results or failures and not named[0].startswith(next(iter(results)) + "="):
        sys.exit("\n".join(failures))
    text, worse, told = report_kernels(results, read_reasons(reasons_path))
    path.write_text(text + "".join(f"**{line}**\n" for line in failures))
    for line in told:
        print(f"told: {line}", file=sys.stderr)
    if failures + worse:
        sys.exit("\n".join(f"not ok - {line}" for line in failures + worse))


# === The baseline ===

def linux(host):
    """Version and flavour of a release: "6.1 amd64" for 6.1.0-56-amd64."""
    match = re.match(r"(\d+\.\d+).*?-((?:[a-z]+-)?amd64)$", host.get("kernel", ""))
    return " ".join(match.groups()) if match else host.get("kernel", "?")


def compare(result, baseline):
    """Prints TAP: a row that is worse than its baseline fails, and so does one without a
    baseline. The costs of the kernel's own means are printed, because a change of these
    shows that the kernel is another one. Another version of Linux is built by another
    compiler and has other figures, so it is not compared."""
    known, n = baseline["rows"], 0
    print("TAP version 13")
    here, there = linux(result["host"]), linux(baseline["host"])
    if here != there:
        print(f"ok 1 - bench.measured: {len(result['values'])} figures")
        print(f"ok 2 - bench.compared # SKIP the baseline is of Linux {there}, this is {here}")
        print("1..2")
        return
    for name, value in result["values"].items():
        old = known.get(name)
        if name in NOT_COMPARED:
            continue
        if name in PEERS:
            if old and abs(value / old - 1) > TOLERANCE - 1:
                print(f"# peer {name}: {number(value)}, baseline {number(old)}, "
                      f"of kernel {baseline['host'].get('kernel')}")
            continue
        n += 1
        if old is None:
            print(f"not ok {n} - {name}: {number(value)}, not in the baseline")
        else:
            good = value <= old * TOLERANCE
            print(f"{'ok' if good else 'not ok'} {n} - {name}: {number(value)}, baseline "
                  f"{number(old)}, {100 * (value / old - 1):+.1f} %")
    print(f"1..{n}")


def readme_part(part, result):
    """Of a baseline, or of what write_native() has written."""
    rows = result["rows"] if part == "native readme" else make_rows(result["rows"])
    begin, end = MARKS[part]
    return "\n".join([begin, "", *where(result["host"], result["unit"]), "",
                      *table(rows), "", *reasons(rows), "", end])


def split_readme(part, readme):
    text, (begin, end) = readme.read_text(), MARKS[part]
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"{readme}: no place for the table of \"bench.sh {part}\", or two")
    head, rest = text.split(begin)
    return head, begin + rest.split(end)[0] + end, rest.split(end)[1]


def write_readme(part, path, readme):
    head, _, tail = split_readme(part, readme)
    readme.write_text(head + readme_part(part, json.loads(path.read_text())) + tail)


def demand_reasons(rows):
    unexplained = [row["name"] for row in missed(rows) if row["name"] not in REASONS]
    if unexplained:
        sys.exit(f"no reason in REASONS for what misses its reach: {' '.join(unexplained)}")


def write_baseline(result, path, readme):
    if "bytes_parked" not in result["values"]:
        sys.exit("a baseline needs all rows: scripts/bench.sh baseline")
    demand_reasons(result["rows"])
    baseline = {"host": result["host"], "unit": result["unit"],
                "rows": result["values"], "copies": result["copies"],
                "series": result["series"]}
    path.write_text(json.dumps(baseline, indent=1) + "\n")
    write_readme("baseline", path, readme)


def write_native(result, path, readme):
    rows = [row for row in result["rows"] if row["reach"] is not None]
    if not rows:
        sys.exit("there are no figures of Go: scripts/bench.sh native readme")
    demand_reasons(rows)
    kept = {"host": result["host"], "unit": result["unit"], "rows": rows}
    path.write_text(json.dumps(kept, indent=1) + "\n")
    write_readme("native readme", path, readme)


def check_readme(part, path, readme):
    if split_readme(part, readme)[1] != readme_part(part, json.loads(path.read_text())):
        sys.exit(f"{readme}: its table of \"bench.sh {part}\" is not what {path} says")


def main(command="", *args):
    paths = [pathlib.Path(arg) for arg in args]
    match command, len(paths):
        case "report", 2:
            result = measure(paths[0])
            if not result["rows"]:
                sys.exit(f"no rows in {paths[0]}")
            (paths[1] / "results.json").write_text(json.dumps(result, indent=1) + "\n")
            (paths[1] / "report.md").write_text(report(result))
        case "compare", 2:
            compare(*(json.loads(path.read_text()) for path in paths))
        case "baseline", 3:
            write_baseline(json.loads(paths[0].read_text()), *paths[1:])
        case "native", 3:
            write_native(json.loads(paths[0].read_text()), *paths[1:])
        case "readme", 3:
            check_readme("baseline", paths[0], paths[2])
            check_readme("native readme", paths[1], paths[2])
        case "kernels", count if count > 2:
            write_kernels(*paths[:2], args[2:])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
