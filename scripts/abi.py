#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the documentation of files in sysfs and of calls with the source.

usage: abi.py		prints what is not documented and what does not exist; then exits with 1
       abi.py --list	prints the paths of module/ABI/, sorted
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parent.parent
ROOT = "/sys/kernel/costack/"
HEADER = "include/linux/costack.h"


def text(name):
    """The text of a file of the tree."""
    return (TOP / name).read_text(encoding="utf-8")


def entries(name):
    """Reads a file in the kernel's ABI format: pairs of paths and their description."""
    found, paths, words = [], [], []
    for line in text(name).splitlines() + ["What:"]:
        if line.startswith("What:"):
            if words:
                found.append((paths, " ".join(words[1:])))
                paths, words = [], []
            paths += line.split()[1:]
        elif line.startswith("Description:") or words:
            words += line.split()
    return found


def documented(name):
    """The paths in such a file. A path that occurs twice is an error."""
    paths = [path for paths, _ in entries(name) for path in paths]
    twice = {path for path in paths if paths.count(path) > 1}
    if twice:
        sys.exit(f"{name}: twice: {' '.join(sorted(twice))}")
    return set(paths)


def knobs():
    """Files that module/sysfs.c makes, except the counters."""
    source = text("module/sysfs.c")
    names = re.findall(r"^\tKNOB\((\w+)\),$", source, flags=re.M)
    names += re.findall(r"^static struct kobj_attribute \w+_attr = __ATTR\((\w+),", source, flags=re.M)
    return set(names)


def counters():
    """Files of stats/."""
    source = text("module/sysfs.c")
    names = re.findall(r'^\t\[COSTACK_STAT_\w+\]\s*= "(\w+)",$', text("module/stats.c"), flags=re.M)
    names += re.findall(r'"(stacks_\w+)"', source)
    names += re.findall(r"^static struct kobj_attribute \w+_file = __ATTR_RO\((\w+)\)", source, flags=re.M)
    return set(names)


def demo_files():
    """Files of the demonstration."""
    return set(re.findall(r"^\t&(\w+)_attr\.attr,$", text("module/demo/demo.c"), flags=re.M))


def parameters():
    """Parameters of costack.ko."""
    return set(re.findall(r"^MODULE_PARM_DESC\((\w+),", text("module/main.c"), flags=re.M))


def sample():
    """Parameters that the sample for modprobe.d sets."""
    lines = re.findall(r"^options costack (.*)$", text("scripts/etc/modprobe.d/costack.conf"), flags=re.M)
    return {word.partition("=")[0] for line in lines for word in line.split()}


def readme_files():
    """The files in README's table."""
    table = text("README.md").partition("| file in `/sys/kernel/costack/` | |")[2].partition("\n\n")[0]
    return {name for line in table.splitlines()
            for name in re.findall(r"`(\w+/?)`", line.split(" | ")[0])}


def calls():
    """Public functions of the header, and its macros with kernel-doc."""
    source = text(HEADER).partition("#else /* !CONFIG_COSTACK */")[0]
    names = re.findall(r"^[a-z][\w *]*?\b\*?(costack_\w+)\([^;]*\);$", source, flags=re.M)
    names += re.findall(r"^ \* (\w+)\(\) - ", text(HEADER), flags=re.M)
    return set(names)


def readme_calls():
    """The calls in README's table, where `_used()` continues the name before it."""
    table = text("README.md").partition("| call | |")[2].partition("\n\n")[0]
    found, before = set(), ""
    for name in re.findall(r"`([\w.]+)[^`]*`", "\n".join(line.split(" | ")[0] for line in table.splitlines())):
        if name.startswith(("costack_", "COSTACK_")):
            before = name
            found.add(name)
        elif name.startswith(("COSTACK_", "DEFINE_")):
            found.add(name)
        elif name.startswith("..."):
            found.add(before + name[3:])
        else:
            found.add(before[:before.rindex("_")] + name if "_" in before else name)
    return found


def compare(what, wanted, there):
    """Prints what only one of two sets has."""
    wrong = [f"{what}: {name}: is not documented" for name in sorted(wanted - there)]
    wrong += [f"{what}: {name}: does not exist" for name in sorted(there - wanted)]
    if not wanted:
        wrong.append(f"{what}: nothing was found in the source")
    return wrong


def main():
    """The documentation must have all that the source has, and nothing else."""
    ours = documented("module/ABI/sysfs-kernel-costack")
    demo = documented("module/ABI/sysfs-kernel-costack-demo")
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(ours | demo)))
        return 0
    wrong = compare("module/ABI", {ROOT + name for name in knobs()} |
                    {f"{ROOT}stats/{name}" for name in counters()}, ours)
    wrong += compare("module/ABI, demo", {f"{ROOT}demo/{name}" for name in demo_files()}, demo)
    wrong += compare("parameters", knobs() - {"cancel", "pack", "show_items", "shrink"}, parameters())
    wrong += compare("modprobe.d", sample() & parameters(), sample())
    wrong += compare("README, files", knobs() | {"stats/"}, readme_files())
    wrong += compare("README, calls", calls() - {"MODULE_COSTACK_MOVABLE"}, readme_calls())
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
