#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draws plots with gnuplot, as SVG and PNG: the cost of a growth by bytes in use and by
frames, memory by the number of waiting coroutines, and where a copy's instructions go.

usage: bench-plot.py RESULTS PROFILE DIRECTORY
"""

import json
import pathlib
import subprocess
import sys

COLOURS = {"copy": "#c0392b", "large": "#e08e0b", "inplace": "#1f6fb2", "peer": "#777777"}
PART_COLOURS = {"fault": "#5b4b8a", "walk": "#c0392b", "adjust": "#e08e0b",
                "memmove": "#1f6fb2", "resume": "#2e8b57", "other": "#999999"}

# Bytes of one that waits elsewhere, of a million: Go 1.19.8, a goroutine in a receive; OTP 25,
# an Erlang process in hibernate. Measured in user space, from the resident set.
GOROUTINE = 2733
HIBERNATED = 890

# Text, grid and borders for both terminals; the right margin has the names of the lines.
STYLE = """
set encoding utf8
set border 3 lw 1 lc rgb "#444444"
set tics nomirror out textcolor rgb "#444444"
set grid ytics lw 0.5 lc rgb "#dddddd"
unset key
set title font ",15" offset 0,0.3
set rmargin 26
set format y "%.0s%c"
"""


def gnuplot(path, script):
    terminals = {
        "svg": 'svg size 860,480 dynamic font "Helvetica,13" background rgb "white"',
        "png": 'pngcairo size 860,480 font "Helvetica,11" background rgb "white"',
    }
    for suffix, terminal in terminals.items():
        text = f'set terminal {terminal}\nset output "{path}.{suffix}"\n{STYLE}{script}'
        subprocess.run(["gnuplot", "-"], input=text, text=True, check=True)


def data(name, points):
    return f"${name} << EOD\n" + "\n".join(f"{x} {y}" for x, y in points) + "\nEOD\n"


def lines(curves, extra=""):
    """Curves are (name, colour, label, points); the label stands at the last point."""
    script = "".join(data(name, points) for name, _, _, points in curves) + extra
    for name, colour, label, points in curves:
        x, y = points[-1]
        script += (f'set label "{label}" at {x},{y} offset 1.2,0 '
                   f'textcolor rgb "{COLOURS[colour]}"\n')
    return script + "plot " + ", ".join(
        f'${name} with linespoints lw 2.5 pt 7 ps 0.9 lc rgb "{COLOURS[colour]}"'
        for name, colour, _, _ in curves) + "\n"


def growth_bytes(values):
    def curve(pattern):
        return [(size // 2, values[pattern.format(size)]) for size in (8, 16, 32, 64)]

    copy, large, place = (curve(p) for p in ("grow_copy_{}k", "grow_copy_{}k_large",
                                              "grow_inplace_{}k"))
    memcpy = [(kib, kib * values["memcpy_1k"]) for kib in (4, 8, 16, 32)]
    return lines([
        ("copy", "copy", "copy, frames of 64 bytes", copy),
        ("large", "large", "copy, frames of 1 KiB", large),
        ("memcpy", "peer", "memcpy() of the bytes", memcpy),
        ("place", "inplace", "in place", place),
    ], """
set title "What one growth costs, by bytes of stack in use"
set xlabel "KiB in use when the stack doubles"
set ylabel "guest instructions (logarithmic)"
set logscale x 2
set logscale y 10
set xrange [3.6:34]
set yrange [200:600000]
set xtics (4, 8, 16, 32)
""")


def growth_frames(values, copies):
    names = ["_large", "_512b", "_256b", "_128b", ""]
    copy = [(copies["grow_copy_64k" + name][0], values["grow_copy_64k" + name])
            for name in names]
    place = [(copies["grow_copy_64k_large"][0], values["grow_inplace_64k_large"]),
             (copies["grow_copy_64k"][0], values["grow_inplace_64k"])]
    # The line of growth in place lies on the axis, with its label above it.
    label = (f'set label "in place: {place[-1][1]:,.0f}" at 513,0 offset 1.2,0.8 '
             f'textcolor rgb "{COLOURS["inplace"]}"\n')
    return lines([("copy", "copy", "copy", copy), ("place", "inplace", "", place)], label + f"""
set title "What one growth costs, by frames on the stack"
set xlabel "frames that hold 32 KiB, when the stack grows to 64 KiB"
set ylabel "guest instructions"
set xrange [0:530]
set yrange [0:*]
set label "{values['walk']:,.0f} a frame" at 245,{copy[-1][1] * 0.62} right \\
	textcolor rgb "{COLOURS['copy']}"
""")


def memory(series, million):
    """Both axes are logarithmic, so what each takes is where its line lies."""
    def curve(name):
        return [(int(count), float(value) * int(count) / 2 ** 20)
                for count, value in series[name].items()]

    def other(each):
        return [(count, each * count / 2 ** 20) for count in (1000, 1000000)]

    packed = curve("bytes_packed") + ([(1000000, million * 1000000 / 2 ** 20)] if million else [])
    kthread, parked = curve("bytes_kthread"), curve("bytes_parked")
    curves = [("kthread", "#777777", kthread), ("parked", "#1f6fb2", parked),
              ("packed", "#c0392b", packed)]
    others = [("go", "#2e8b57", other(GOROUTINE)), ("erlang", "#e08e0b", other(HIBERNATED))]
    labels = [
        ("blocked kthreads", series["bytes_kthread"], kthread[-1], 1, "#777777"),
        ("parked work items", series["bytes_parked"], parked[-1], 0.8, "#1f6fb2"),
        ("packed work items", {0: million or list(series["bytes_packed"].values())[-1]},
         packed[-1], -0.8, "#c0392b"),
        ("goroutines", {0: GOROUTINE}, others[0][2][-1], 0.3, "#2e8b57"),
        ("Erlang processes, hibernated", {0: HIBERNATED}, others[1][2][-1], 0.5, "#e08e0b"),
    ]
    script = "".join(data(name, points) for name, _, points in curves + others) + """
set title "Memory of those that wait"
set xlabel "how many wait (logarithmic)"
set ylabel "MiB of free memory gone (logarithmic)"
set logscale xy 10
set xrange [900:1100000]
set yrange [0.5:5000]
set format x "%.0s%c"
set format y "%g"
set rmargin 34
"""
    for what, values, (x, y), up, colour in labels:
        script += (f'set label "{what}, {list(values.values())[-1]:,.0f} bytes" at {x},{y} '
                   f'offset {1.2 if x > 10000 else -9},{up} textcolor rgb "{colour}"\n')
    return script + "plot " + ", ".join(
        [f'${name} with linespoints lw 2.5 pt 7 ps 0.9 lc rgb "{colour}"'
         for name, colour, _ in curves] +
        [f'${name} with lines lw 1.5 dt 2 lc rgb "{colour}"' for name, colour, _ in others]) + "\n"


def split_bar(profile):
    """Plots shares of each total, because the totals differ by a factor of forty."""
    labels = {"grow_copy_8k": "to 8 KiB,\\n64-byte frames", "grow_copy_8k_large":
              "to 8 KiB,\\n1-KiB frames", "grow_copy_64k": "to 64 KiB,\\n64-byte frames",
              "grow_copy_64k_large": "to 64 KiB,\\n1-KiB frames"}
    script = """
set title "Where a copy's instructions go"
set xlabel "share of the guest instructions of one growth by copy"
set xrange [0:100]
set format x "%g %%"
unset grid
set grid xtics lw 0.5 lc rgb "#dddddd"
set border 1
set ytics scale 0
set lmargin 18
set rmargin 14
"""
    rows = [name for name in labels if name in profile][::-1]
    tics = []
    for y, name in enumerate(rows):
        parts, left = profile[name], 0
        total = sum(parts.values())
        tics.append(f'"{labels[name]}" {y}')
        for part, n in parts.items():
            share = 100 * n / total
            script += (f"set object rect from {left},{y - 0.32} to {left + share},{y + 0.32} "
                       f'fc rgb "{PART_COLOURS[part]}" fs solid noborder front\n')
            if share >= 5:
                text, up = (f"{part}\\n", 0.35) if share >= 14 else ("", 0)
                script += (f'set label "{text}{share:.0f} %" at {left + share / 2},{y} '
                           f'center offset 0,{up} front textcolor rgb "white"\n')
            left += share
        script += f'set label "{total:,.0f}" at 101,{y} left textcolor rgb "#444444"\n'
    script += f'set label "instructions" at 101,{len(rows) - 0.45} left textcolor rgb "#444444"\n'
    legend = 0
    for part, colour in PART_COLOURS.items():
        if not any(row.get(part, 0) >= 1.5 for row in profile.values()):
            continue
        script += (f"set object rect from {legend},{len(rows) - 0.5} to {legend + 2.5},"
                   f'{len(rows) - 0.36} fc rgb "{colour}" fs solid noborder front\n'
                   f'set label "{part}" at {legend + 3.2},{len(rows) - 0.43} left '
                   'textcolor rgb "#444444"\n')
        legend += 19
    return script + (f"set ytics ({', '.join(tics)})\n"
                     f"set yrange [-0.6:{len(rows) - 0.2}]\nplot NaN notitle\n")


def main(results, profile, directory):
    results = json.loads(pathlib.Path(results).read_text())
    profile = json.loads(pathlib.Path(profile).read_text())
    directory = pathlib.Path(directory)
    values = results["values"]
    gnuplot(directory / "growth-bytes", growth_bytes(values))
    gnuplot(directory / "growth-frames", growth_frames(values, results["copies"]))
    gnuplot(directory / "memory", memory(results["series"], values.get("bytes_packed_1m")))
    gnuplot(directory / "copy-split", split_bar(profile))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
