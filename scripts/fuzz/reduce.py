# SPDX-License-Identifier: GPL-2.0
"""Reduces a program that differs: leaves out the parts that the difference does not need.

It tries to leave out the statements that gen.py has marked, then blocks, then single
lines. A part stays if the program without it does not compile or does not differ. The result
is minimal.c, next to the whole program and the command that shows the difference.
"""

import re

import build

MAX_TESTS = 400

# The shorter program's behaviour must still be defined.
DEFINED = ["-std=gnu11", "-Werror=return-type", "-Werror=uninitialized",
           "-Werror=maybe-uninitialized"]


class Reduction:
    """One program that differs."""

    def __init__(self, difference, where, harness):
        self.job, self.config, self.where = difference.job, difference.config, where
        self.harness = sorted(harness.glob("*.o"))
        self.checker = build.load_checker()
        self.tests = 0

    def differs(self, lines):
        """Returns whether the program of these lines differs, in any way and round."""
        self.tests += 1
        source = self.where / "minimal.c"
        kept = source.read_text(encoding="ascii") if source.exists() else None
        source.write_text("\n".join(lines) + "\n", encoding="ascii")
        unit = build.Unit(source, self.where, self.config, self.checker)
        try:
            build.run(["gcc", "-O1", "-S", *DEFINED, f"-I{build.HERE}", source, "-o",
                       self.where / "unit.s"])
            unit.build(self.harness)
        except build.Failed:
            output, status = [], 0
        else:
            output, status, _ = unit.run(self.job.seed, max(self.job.rounds, 4), -1, -1,
                                         self.job.ways)
        found = status not in (0, 1) or any(line.startswith("differs") for line in output)
        if not found and kept is not None:
            source.write_text(kept, encoding="ascii")
        return found

    def without(self, lines, ranges):
        """Leaves out each of these ranges that is not needed, the largest first."""
        for begin, end in sorted(ranges, key=lambda one: one[0] - one[1]):
            if self.tests >= MAX_TESTS:
                break
            part = lines[begin:end]
            if all(line is None for line in part):
                continue
            shorter = lines[:begin] + [None] * (end - begin) + lines[end:]
            if self.differs([line for line in shorter if line is not None]):
                lines = shorter
        return [line for line in lines if line is not None]

    def run(self, lines):
        """Returns the shortest program found, or None if it does not differ."""
        if not self.differs(lines):
            return None
        lines = self.without(lines, marked(lines))
        lines = [line for line in lines if not re.fullmatch(r"/\*(\{\d+|\d+\})\*/", line)]
        before = 0
        while len(lines) != before and self.tests < MAX_TESTS:
            before = len(lines)
            lines = self.without(lines, blocks(lines))
            lines = self.without(lines, [(i, i + 1) for i, line in enumerate(lines)
                                         if re.match(r"\s+(?!return\b).*;$", line)])
        self.differs(lines)
        return lines


def marked(lines):
    """Returns the ranges between marks of gen.py."""
    begins, found = {}, []
    for i, line in enumerate(lines):
        match = re.fullmatch(r"/\*(\{?)(\d+)(\}?)\*/", line)
        if match and match[1]:
            begins[match[2]] = i
        elif match:
            found.append((begins.pop(match[2]), i + 1))
    return found


def blocks(lines):
    """Returns the ranges of blocks, functions and types, with the text before the brace."""
    stack, found = [], []
    for i, line in enumerate(lines):
        for char in line:
            if char == "{":
                stack.append(i)
            elif char == "}" and stack:
                begin = stack.pop()
                if begin == i:
                    continue
                if lines[begin].strip() == "{" and re.match(r"\s+(if|for|while|else)\b|static ",
                                                            lines[begin - 1]):
                    begin -= 1
                found.append((begin, i + 1))
    return found


def reduce(difference, where, harness):
    """Reduces a program in the directory @where; returns a text that names the result."""
    where.mkdir(parents=True, exist_ok=True)
    text = difference.job.text([difference.index])
    (where / "program.c").write_text(text, encoding="ascii")
    (where / "minimal.c").unlink(missing_ok=True)
    reduction = Reduction(difference, where, harness)
    lines = reduction.run(text.splitlines())
    (where / "command").write_text(
        f"{difference.command()}\n{difference.config.name}: {difference.what}\n",
        encoding="ascii")
    if lines is None:
        return f"nothing: alone it does not differ ({where}/program.c)"
    return f"{len(lines)} lines: {where}/minimal.c"
