#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the manual pages: costack(7), costack-top(8), and a page in section 9 for each
public call.

The kernel's scripts/kernel-doc makes the pages of section 9 from the comments in
include/linux/costack.h and module/*.c. costack(7) takes its list of files from module/ABI/,
and costack-top(8) is made from the comment at the beginning of scripts/costack-top.

usage: man.py KERNEL-DOC DIR
environment: VERSION, of costack (default: that of module/main.c); SOURCE_DATE_EPOCH, the
	time that the pages are dated with (default: now)
"""

import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import abi  # pylint: disable=wrong-import-position


def roff(words):
    """Words as roff wants them."""
    words = words.replace("\\", "\\\\").replace("-", "\\-")
    return "\\&" + words if words.startswith((".", "'")) else words


def items(name, under):
    """The entries of an ABI file directly below a directory, as a list."""
    lines = []
    for paths, words in abi.entries(name):
        names = [path[len(under):] for path in paths]
        if "/" in names[0] or not paths[0].startswith(under):
            continue
        lines += [".TP", ".BR " + ' ", " '.join(roff(one) for one in names), roff(words)]
    return "\n".join(lines)


def parameters():
    """The parameters of costack.ko, with their MODULE_PARM_DESC()."""
    found = re.findall(r'^MODULE_PARM_DESC\((\w+), "(.*)"\);$', abi.text("module/main.c"), re.M)
    return "\n".join(f".TP\n.B {name}\n{roff(words)}" for name, words in found)


def overview(calls, date, version):
    """costack(7)."""
    abi_file = "module/ABI/sysfs-kernel-costack"
    parts = {
        "DATE": date, "VERSION": version,
        "PARAMETERS": parameters(),
        "KNOBS": items(abi_file, abi.ROOT),
        "COUNTERS": items(abi_file, abi.ROOT + "stats/"),
        "CALLS": "\n".join(f".BR {name} (9)," for name in calls),
    }
    return re.sub("@([A-Z]+)@", lambda name: parts[name[1]], abi.text("module/costack.7"))


def tool(date, version):
    """costack-top(8)."""
    comment = re.search(r"^#\n((?:#.*\n)+)", abi.text("scripts/costack-top"), re.M)[1]
    about, usage, *others = re.sub(r"^# ?", "", comment, flags=re.M).strip().split("\n\n")
    synopsis, *options = usage.splitlines()
    title = f'.TH COSTACK-TOP 8 "{date}" "costack {version}" "costack"'
    lines = [title, ".SH NAME", "costack\\-top \\- show the coroutines of costack by function",
             ".SH SYNOPSIS", roff(synopsis.removeprefix("usage: ")),
             ".SH DESCRIPTION", roff(about), ".SH OPTIONS"]
    for option in options:
        words = re.split(r" {2,}", option.strip(), maxsplit=1)
        lines += [".TP", ".B " + roff(words[0]), roff(words[1])]
    for part in others[:2]:
        name, _, words = part.partition(": ")
        lines += [f".SH {name.upper()}", roff(words)]
    return "\n".join(lines + [".SH SEE ALSO", ".BR costack (7)", ""])


def where(call):
    """The file that has the kernel-doc of a call."""
    for path in [abi.TOP / abi.HEADER, *sorted((abi.TOP / "module").glob("*.c"))]:
        if re.search(rf"^ \* {call}\(\) - ", path.read_text(encoding="utf-8"), flags=re.M):
            return path
    sys.exit(f"man.py: error: {call}() has no kernel-doc\n  write it above the function")


def lists(page):
    """Formats lists of results, which kernel-doc leaves as they are in the source."""
    return re.sub(r"^\* +(\S.*?)\s+- (.*)$", r".TP\n.B \1\n\2", page, flags=re.M)


def page_of(kernel_doc, call, calls, date, version):
    """The page of a call, which refers to the pages of the calls that it names."""
    said = subprocess.run([kernel_doc, "-man", "-function", call, where(call)], check=True,
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    out = said.stdout
    if said.stderr or not out.startswith(f'.TH "{call}" 9 '):
        sys.exit(f"man.py: error: no page of {call}():\n{said.stderr}{out[:200]}")
    rest = out.partition("\n")[2]
    title = f'.TH "{call}" 9 "{date}" "costack {version}" "costack"'
    # For a macro kernel-doc prints a stray quotation mark and an empty list of arguments.
    rest = re.sub(r'^\.B "(\w+)$', r".B \1", rest, flags=re.M)
    rest = re.sub(r"^\.SH ARGUMENTS\n(?=\.SH)", "", rest, flags=re.M)
    rest = rest.replace(".SH SYNOPSIS\n", ".SH SYNOPSIS\n.B #include <linux/costack.h>\n.PP\n")
    rest = re.sub(r"\\fB([a-z_]+)\\fP", r"\\fB\1\\fP()", lists(rest)).replace("-E", "\\-E")
    # An empty line ends a paragraph, except before a heading or a list.
    rest = re.sub(r"\n\n+", "\n.PP\n", rest.rstrip())
    rest = re.sub(r"^(\.SH .*\n)\.PP\n", r"\1", rest, flags=re.M)
    rest = re.sub(r"^\.PP\n(?=\.(SH|TP))", "", rest, flags=re.M)
    words = re.findall(r"\w+", re.sub(r"\\f.", " ", rest))
    named = sorted(set(words) & (set(calls) - {call}))
    also = "".join(f".BR {name} (9),\n" for name in named)
    return f'{title}\n{rest}\n.SH "SEE ALSO"\n{also}.BR costack (7)\n'


def main():
    """Writes all pages."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    kernel_doc, out = sys.argv[1], pathlib.Path(sys.argv[2])
    version = os.environ.get("VERSION") or \
        re.search(r'^MODULE_VERSION\("(.*)"\);$', abi.text("module/main.c"), re.M)[1]
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")
    calls = sorted(abi.calls())
    out.mkdir(parents=True, exist_ok=True)
    (out / "costack.7").write_text(overview(calls, date, version), encoding="utf-8")
    (out / "costack-top.8").write_text(tool(date, version), encoding="utf-8")
    for call in calls:
        (out / f"{call}.9").write_text(page_of(kernel_doc, call, calls, date, version),
                                      encoding="utf-8")


if __name__ == "__main__":
    main()
