# SPDX-License-Identifier: GPL-2.0
"""Compiles a unit of programs, has the checker check it, and links it.

A unit is compiled like a kernel module, as far as user space allows, with the flags of
movable.mk. The checker reads the object; this module turns its verdict into the table that
verdict.c reads.
"""

import dataclasses
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent

# The flags that Kbuild uses for x86-64 with Debian's configuration, without those for include
# paths and objtool. The kernel's code model works here because the program is linked at low
# addresses, which are sign-extended too. Nothing moves without unwind tables.
KERNEL_FLAGS = """
    -std=gnu11 -fno-strict-aliasing -fno-common -fshort-wchar -fno-PIE -mno-sse -mno-mmx
    -mno-sse2 -mno-3dnow -mno-avx -fcf-protection=none -m64 -falign-jumps=1 -falign-loops=1
    -mno-80387 -mno-fp-ret-in-387 -mpreferred-stack-boundary=3 -mskip-rax-setup
    -mtune=generic -mno-red-zone -mcmodel=kernel -mindirect-branch=thunk-extern
    -mindirect-branch-register -mindirect-branch-cs-prefix -mfunction-return=thunk-extern
    -fno-jump-tables -mharden-sls=all -fno-delete-null-pointer-checks
    -fno-allow-store-data-races -ftrivial-auto-var-init=zero -fno-stack-clash-protection
    -pg -mrecord-mcount -mfentry -fno-strict-overflow -fno-stack-check -fconserve-stack
    -fasynchronous-unwind-tables -fno-zero-initialized-in-bss -g -w""".split()

PROTECTOR = ["-fstack-protector-strong", "-mstack-protector-guard-reg=gs",
             "-mstack-protector-guard-offset=40"]

HARNESS = ["harness.c", "verdict.c", "move.c", "switch.S", TOP / "module" / "copy.c"]


@dataclasses.dataclass(frozen=True)
class Config:
    """How a unit is compiled, and which of its protections are used."""

    name: str                   # name on the command line: O2, O2-fp, ...
    cc: str = "gcc"
    flags: tuple = ()           # the flags of movable.mk, or some of them
    checker: bool = True
    maps: bool = True

    def options(self):
        """Returns the arguments of the compiler."""
        words = self.name.split("-")
        options = list(KERNEL_FLAGS) + ["-" + words[0]]
        options += ["-fno-omit-frame-pointer"] if "fp" in words else []
        options += PROTECTOR if "ssp" in words else ["-fno-stack-protector"]
        if "unroll" in words:
            options.append("-funroll-loops")
        return options + list(self.flags)


class Failed(Exception):
    """A tool has failed; the text is its output."""


def run(command, **more):
    """Runs a tool and returns its standard output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **more)
    if done.returncode:
        raise Failed(f"{' '.join(str(word) for word in command)}\n{done.stderr}{done.stdout}")
    return done.stdout


def movable_flags():
    """Returns the flags of movable.mk, with which a movable object is compiled."""
    makefile = TOP / "scripts" / "movable.mk"
    if not makefile.exists():
        return ("-fno-ivopts", "-fno-ira-share-spill-slots", "-fno-ipa-ra", "-fno-tree-slsr",
                "-Werror=vla")
    text = run(["make", "-s", "-f", "-", f"COSTACK={TOP}", "print"], input=(
        f"include {makefile}\nprint:\n\t@echo $(costack-movable-flags)\n"))
    return tuple(text.split())


def load_checker():
    """Returns the checker's Python module, or None if there is none."""
    sys.path.insert(0, str(TOP / "scripts"))
    try:
        import movability                       # pylint: disable=import-outside-toplevel
    except ImportError:
        return None
    return movability


def build_harness(work):
    """Builds the objects of the harness and returns them."""
    work.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in HARNESS:
        target = work / (pathlib.Path(source).stem + ".o")
        run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fno-pie", "-Wall", "-Wextra",
             "-Wno-unused-parameter", "-Werror", f"-I{HERE}/shim", "-c", HERE / source,
             "-o", target])
        objects.append(target)
    return objects


def symbols(path):
    """Returns the address and the size of each function of an object, by name."""
    found = {}
    for line in run(["nm", "-S", path]).splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tTwW":
            found[words[3]] = (int(words[0], 16), int(words[1], 16))
    return found


class Unit:
    """A source, compiled in one way."""

    def __init__(self, source, work, config, checker):
        self.source, self.work, self.config = source, work, config
        self.checker = checker if config.checker else None
        self.object, self.program = work / "unit.o", work / "program"
        self.table = work / "table"
        self.functions = []     # verdict of the checker
        self.names = {}         # address: (name, refusal)

    def build(self, harness):
        """Compiles, checks and links. Raises Failed."""
        self.work.mkdir(parents=True, exist_ok=True)
        run([self.config.cc, *self.config.options(), f"-I{HERE}", "-c", self.source,
             "-o", self.object])
        if self.checker:
            self.functions = self.checker.check(str(self.object))
        linked = self.work / "linked.o"
        run(["objcopy", "--rename-section", ".data=unit_data", self.object, linked])
        # Lazy binding would run the dynamic linker on the stack of the program.
        run(["gcc", "-no-pie", "-Wl,-z,now", "-o", self.program, linked, *harness])
        self.table.write_bytes(self.make_table())

    def make_table(self):
        """Returns the table for verdict.c, with the addresses of the linked program."""
        there, linked = symbols(self.object), symbols(self.program)
        by_name = {function.name: function for function in self.functions}
        functions, points, words = [], [], []
        for name, (_, size) in there.items():
            start = linked[name][0]
            function = by_name.get(name)
            refused = self.checker is not None and (not function or bool(function.refusal))
            self.names[start] = (name, function.refusal if function else None)
            functions.append((start, size, refused))
            for point in function.points if function and not refused else []:
                numbers = point.numbers if self.config.maps else []
                points.append((start + point.offset, 1 if point.kind == "call" else 2,
                               len(words), len(numbers)))
                words += numbers
        table = struct.pack("<4I", len(functions), len(points), len(words),
                            self.checker is not None)
        table += b"".join(struct.pack("<QII", *row) for row in sorted(functions))
        table += b"".join(struct.pack("<QIIII", *row, 0) for row in sorted(set(points)))
        return table + b"".join(struct.pack("<II", *row) for row in words)

    def run(self, seed, rounds, *more):
        """Runs the programs; returns the lines they print, the exit status and the errors."""
        done = subprocess.run([self.program, self.table, str(seed), str(rounds),
                               *(str(word) for word in more)],
                              capture_output=True, text=True, check=False)
        return done.stdout.splitlines(), done.returncode, done.stderr

    def refused(self):
        """Returns how many functions were refused, by reason, and how many there are."""
        reasons = {}
        for function in self.functions:
            if function.refusal:
                reason = function.refusal.reason
                reasons[reason] = reasons.get(reason, 0) + 1
        return reasons, len(self.functions) or len(symbols(self.object))
