#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the checker on functions whose names tell the expected verdict.

usage: run.py [-v] [FILE...]

	good_*		must be approved
	bad_REASON_*	must be refused for that reason
	made_*		must be refused with the compiler's defaults, and approved with
			the flags for movable text
	words_N_*	must be approved, with N known numbers at one of its calls and no
			more at any; and with a warning if its name is words_N_warned_*
	hidden_*	reads far below the address that it keeps with the compiler's
			defaults, which the checker cannot see; with the flags it must not
			do that, and must be approved
	thunk_N_*	must be approved, and its call may return to two places, N bytes apart
	__pfx_*		is padding, which never runs, and must get no verdict

environment: CC (gcc). Prints failures, and a line that counts all checks.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))
import movability  # pylint: disable=wrong-import-position

# Those of the kernel's flags that affect the values kept across a call.
KERNEL = ("-std=gnu11 -mno-red-zone -mno-sse -mno-mmx -mno-80387 -mcmodel=kernel -fno-pic "
          "-fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks -fno-common "
          "-fno-asynchronous-unwind-tables -fcf-protection=none -fno-stack-protector "
          "-mskip-rax-setup -fno-jump-tables -ffreestanding -fno-builtin -g -w").split()
LEVELS = ("-O1", "-O2", "-O3", "-Os", "-O2 -fno-omit-frame-pointer")


# Without movable.mk: the passes of GCC that make addresses outside of the stack.
PLAIN = ["-fno-ivopts", "-fno-ira-share-spill-slots", "-fno-ipa-ra", "-fno-tree-slsr"]


def flags():
    """The flags of movable.mk, read from that file."""
    makefile = SCRIPTS / "movable.mk"
    if not makefile.exists():
        return PLAIN
    text = makefile.read_text()
    found = re.search(r"^costack-movable-flags\s*:?=((?:.*\\\n)*.*)$", text, re.M)
    return found.group(1).replace("\\\n", " ").split()


def compiled(source, options, directory):
    """Compiles a file; returns the checker's verdict on its functions."""
    out = pathlib.Path(directory) / "out.o"
    cc = os.environ.get("CC", "gcc").split()
    subprocess.run([*cc, *KERNEL, *options, "-c", str(source), "-o", str(out)], check=True)
    return movability.check(str(out))


def reads_far_below(directory):
    """The last compiled functions that access memory a page or more below a register."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"{directory}/out.o"],
                          check=True, capture_output=True, text=True).stdout
    found, name = set(), None
    for line in text.splitlines():
        if label := re.match(r"[0-9a-f]+ <(.*)>:", line):
            name = label.group(1)
        elif re.search(r"-0x[0-9a-f]{4,}\(%r..?\)", line):
            found.add(name)
    return found


class Results:
    """Counts checks, and prints those that fail."""

    def __init__(self, verbose):
        self.passed = self.failed = 0
        self.verbose = verbose

    def judge(self, what, function, reason):
        """@reason: the expected reason of a refusal; "" for any; None if it must be approved."""
        refusal = function.refusal
        if reason is None:
            right = refusal is None
        else:
            right = refusal is not None and reason in refusal.reason.replace(" ", "_")
        got = "approved"
        if refusal:
            got = f"refused at +{refusal.offset:#x} {refusal.insn}: " \
                  f"{refusal.reason} {refusal.detail}"
        self.add(right, what, f"{function.name}: {got}")

    def add(self, right, what, got):
        """One check."""
        if not right:
            print(f"FAIL  {what}: {got}")
        elif self.verbose:
            print(f"ok    {what}: {got}")
        self.passed += right
        self.failed += not right


def expected(name, by_default):
    """The expected reason, None for approval; KeyError if the name has no meaning here."""
    kind, _, rest = name.partition("_")
    return {"good": None, "bad": rest.split("_")[0],
            "made": "" if by_default else None, "hidden": None}[kind]


def judge_words(what, function, results):
    """Checks a function words_N_*."""
    words = max((sum(nr for _, nr in point.numbers)
                 for point in function.points if point.kind == "call"), default=0)
    expected_words = int(function.name.split("_")[1])
    warned = function.name.split("_")[2] == "warned"
    results.add(not function.refusal and words == expected_words and
                bool(function.warnings) == warned, what,
                f"{function.name}: {words} words, warnings {function.warnings}, "
                f"{function.refusal or 'approved'}")


def judge_thunk(what, function, results):
    """Checks a function thunk_N_*."""
    places = sorted(point.offset for point in function.points if point.kind == "call")
    results.add(not function.refusal and len(places) == 2 and
                places[1] - places[0] == int(function.name.split("_")[1]), what,
                f"{function.name}: returns to {places}, {function.refusal or 'approved'}")


def run(source, results, directory):
    """All checks of one file."""
    variants = [((*level.split(), *flags()), False) for level in LEVELS]
    if source.suffix == ".S":
        variants = [((), False)]
    elif source.stem == "made":
        variants.insert(0, (("-O2",), True))
    elif source.stem == "thunks":
        variants = [((*options, "-mindirect-branch=thunk-extern", "-mindirect-branch-register"),
                     by_default) for options, by_default in variants]
    elif source.stem == "sanitized":
        variants = [((*options, "-fsanitize=thread", "--param", "tsan-instrument-func-entry-exit=0"),
                     by_default) for options, by_default in variants]
    elif source.stem == "words":
        # A flag of the kernel: without it a variable may share its place with anything.
        variants = [((*options, "-ftrivial-auto-var-init=zero"), by_default)
                    for options, by_default in variants]
    for options, by_default in variants:
        what = " ".join([source.name, *options[:2]])
        functions = compiled(source, options, directory)
        below = reads_far_below(directory) if source.stem == "made" else ()
        if "FUNC __pfx_" in source.read_text():
            padding = [f.name for f in functions if f.name.startswith("__pfx_")]
            results.add(not padding, what, f"padding with a verdict: {padding or 'none'}")
        for function in functions:
            if function.name.startswith("words_"):
                judge_words(what, function, results)
                continue
            if function.name.startswith("thunk_"):
                judge_thunk(what, function, results)
                continue
            if function.name.startswith("hidden_"):
                far = function.name in below
                results.add(far == by_default, what,
                            f"{function.name}: reads far below: {'yes' if far else 'no'}")
                if by_default:
                    continue
            try:
                reason = expected(function.name, by_default)
            except KeyError:
                continue
            results.judge(what, function, reason)


def main(arguments):
    """See the usage above."""
    verbose = "-v" in arguments
    sources = [pathlib.Path(a) for a in arguments if a != "-v"] or \
        sorted([*HERE.glob("*.c"), *HERE.glob("*.S")])
    results = Results(verbose)
    with tempfile.TemporaryDirectory() as directory:
        for source in sources:
            run(source, results, directory)
    print(f"movable: {results.passed} passed, {results.failed} failed, 0 skipped")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
