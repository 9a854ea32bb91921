#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The fuzzer of movability: random programs must have the same results moved and unmoved.

gen.py and csmith generate the programs. While a function that the checker refuses is on the
stack, the stack does not move; the fuzzer counts these functions by reason. The functions that
the checker approves must have the same results wherever the stack is. Without --minutes the
fuzzer runs a fixed hundred programs, and then the controls: programs without a protection, in
which it must find the errors that the protection prevents.

usage: run.py [--minutes N] [--seed N] [--jobs N] [--cc COMPILER] [--config NAME...]
	      [--flags off] [--checker off] [--maps off] [--vla] [--disguise]
	      [--csmith | --own] [--only I] [--rounds N] [--ways BITS] [--out DIRECTORY]
       run.py --control			only the controls
       run.py --sanitize		only checks with ASan and UBSan that the programs
					are defined
"""

import argparse
import concurrent.futures
import dataclasses
import pathlib
import random
import re
import shutil
import sys
import time

import build
import controls
import csmith
import gen
import reduce

LEVELS = ("O2", "O1", "Os", "O3")
CONFIGS = [level + rest for rest in ("", "-fp", "-ssp", "-fp-ssp") for level in LEVELS]
CONFIGS += ["O2-unroll", "O3-unroll-fp", "O3-unroll-ssp"]

# Number of programs in the fixed run, and in a unit.
FIXED_OWN, FIXED_CSMITH, UNIT = 80, 20, 10
# One of so many units is csmith's.
CSMITH_EVERY = 4
# How units are generated and compiled: with all flags (""), with arrays of variable length, with
# addresses in disguise, or without flags. In the last three the checker has something to refuse.
VARIANTS = ("", "", "", "", "", "vla", "disguise", "noflags")
# The ways of harness.c that the fixed run uses, one bit each: those without junk.
FIXED_WAYS = controls.NO_JUNK
# How many differences are reduced. Further ones usually have the same cause.
MAX_REDUCED = 3


@dataclasses.dataclass(frozen=True)
class Job:
    """A unit of programs of one seed, and how it is compiled and run."""

    kind: str                   # own or csmith
    seed: int
    indices: tuple
    configs: tuple
    rounds: int
    work: pathlib.Path
    options: tuple              # options of gen.py
    ways: int = -1              # ways of harness.c, one bit each

    def text(self, indices=None):
        """Returns the source."""
        if self.kind == "csmith":
            return csmith.unit(self.seed, indices or self.indices)
        return gen.unit(self.seed, indices or self.indices, gen.arguments(list(self.options)))


@dataclasses.dataclass(frozen=True)
class Difference:
    """A program that had different results when it was compiled in one way."""

    job: Job
    index: int
    config: build.Config
    name: str
    what: str

    def command(self):
        """Returns the command that shows it again."""
        config, words = self.config, [f"--seed {self.job.seed}", f"--only {self.index}"]
        words.append(f"--{self.job.kind} --config {config.name} --rounds {self.job.rounds}")
        words += [f"--cc {config.cc}"] if config.cc != "gcc" else []
        words += ["--flags off"] if not config.flags else []
        words += ["--checker off"] if not config.checker else []
        words += ["--maps off"] if not config.maps else []
        words += list(self.job.options)
        return "scripts/fuzz.sh " + " ".join(words)


class Count:
    """What was done and seen, in numbers."""

    def __init__(self):
        self.values = {}
        self.refused = {}
        self.stopped = {}
        self.differences = []
        self.broken = set()
        self.undefined = []

    def add(self, name, value):
        """Adds to a count."""
        self.values[name] = self.values.get(name, 0) + value

    def merge(self, other):
        """Adds the counts of another process."""
        for mine, theirs in ((self.values, other.values), (self.refused, other.refused),
                             (self.stopped, other.stopped)):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0) + value
        self.differences += other.differences
        self.broken |= other.broken
        self.undefined += other.undefined

    def report(self):
        """Prints the counts."""
        values = {name: self.values.get(name, 0) for name in (
            "programs", "units", "functions", "hops", "touches", "stayed", "grown", "words",
            "spared")}
        print("{programs:,} runs of programs ({units:,} objects, {functions:,} functions): "
              "{hops:,} moves at calls, {touches:,} at instructions that had no room".format(**values))
        print("{stayed:,} moves and {grown:,} growths stayed in place; {words:,} words rebased, "
              "{spared:,} known as numbers and spared".format(**values))
        total = sum(self.refused.values())
        print(f"functions refused: {total:,}" + (":" if total else ""))
        for reason, number in sorted(self.refused.items(), key=lambda item: -item[1]):
            print(f"  {number:7,}  {reason}")
        for reason, number in sorted(self.stopped.items(), key=lambda item: -item[1]):
            print(f"  {number:7,}  moves stopped: {reason}")


def read_output(count, unit, job, lines, sums):
    """Reads the output of a unit's harness."""
    for line in lines:
        words = line.split()
        if words[0] == "sum":
            sums[unit.config.name, words[1], words[2]] = words[3]
        elif words[0] == "differs":
            index = int(words[1][1:])
            count.differences.append(Difference(job, index, unit.config, words[1],
                                                " ".join(words[2:])))
        elif words[0] == "broken":
            count.broken.add((job.kind, words[1]))
        elif words[0] == "stopped":
            refusal = unit.names[int(words[1], 16)][1]
            count.stopped[refusal.reason if refusal else "no point there"] = \
                count.stopped.get(refusal.reason if refusal else "no point there", 0) + int(words[3])
        else:
            for word in words:
                name, _, value = word.partition("=")
                count.add(name, int(value))


def run_unit(count, unit, job, sums):
    """Runs a unit; if the harness dies, runs it program by program."""
    lines, status, said = unit.run(job.seed, job.rounds, -1, -1, job.ways)
    if status in (0, 1):
        read_output(count, unit, job, lines, sums)
        return
    for place, index in enumerate(job.indices):
        lines, status, said = unit.run(job.seed, job.rounds, place, -1, job.ways)
        if status in (0, 1):
            read_output(count, unit, job, lines, sums)
        else:
            count.differences.append(Difference(
                job, index, unit.config, f"{'c' if job.kind == 'csmith' else 'p'}{index}",
                f"the harness ended with status {status}: {said.strip()}"))


def compare_configs(count, job, sums):
    """Checks that each program has the same results unmoved, however it was compiled.

    A program for which this is not so has undefined behaviour.
    """
    seen = {}
    for (config, name, number), value in sums.items():
        first, other = seen.setdefault((name, number), (value, config))
        if first != value:
            count.undefined.append(f"{job.kind} {name}, seed {job.seed}: unmoved, "
                                   f"{config} and {other} have different results")


def do_job(job):
    """Generates, builds and runs a unit, in a process of its own; returns the counts."""
    count, sums = Count(), {}
    checker = build.load_checker()
    job.work.mkdir(parents=True, exist_ok=True)
    source = job.work / "unit.c"
    source.write_text(job.text(), encoding="ascii")
    for config in job.configs:
        unit = build.Unit(source, job.work / config.name, config, checker)
        unit.build(sorted((job.work.parent / "harness").glob("*.o")))
        reasons, functions = unit.refused()
        count.add("units", 1)
        count.add("functions", functions)
        for reason, number in reasons.items():
            count.refused[reason] = count.refused.get(reason, 0) + number
        run_unit(count, unit, job, sums)
    compare_configs(count, job, sums)
    if not count.differences:
        shutil.rmtree(job.work)
    return count


def sanitize(job):
    """Runs a unit with ASan and UBSan; returns the exit status and their output."""
    job.work.mkdir(parents=True, exist_ok=True)
    source, program = job.work / "unit.c", job.work / "plain"
    source.write_text(job.text(), encoding="ascii")
    build.run(["gcc", "-std=gnu11", "-O1", "-g", "-w", "-fno-strict-aliasing", "-fwrapv",
               "-fsanitize=address,undefined", "-fno-sanitize=shift-base",
               "-fno-sanitize-recover=all", f"-I{build.HERE}", "-c", source,
               "-o", job.work / "unit.o"])
    build.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", f"-I{build.HERE}/shim",
               build.HERE / "harness.c", build.HERE / "plain.c", job.work / "unit.o",
               "-fsanitize=address,undefined", "-o", program])
    done = build.subprocess.run([program, "none", str(job.seed), "1"], capture_output=True,
                                text=True, check=False)
    return done.returncode, done.stderr


class Fuzzer:
    """Makes the jobs of a run, runs them and counts."""

    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.out)
        self.count = Count()
        self.flags = build.movable_flags()

    def config(self, name, variant):
        """Returns a way to compile."""
        flags = self.flags
        if variant == "noflags" or self.options.flags == "off":
            flags = ()
        elif variant == "vla":
            flags = tuple(flag for flag in flags if not flag.endswith(("=vla", "=alloca")))
        return build.Config(name, self.options.cc, flags, self.options.checker == "on",
                            self.options.maps == "on")

    def job(self, kind, number, indices, configs, variant=""):
        """Returns the job for a unit."""
        options = self.options
        variant = "vla" if options.vla else "disguise" if options.disguise else variant
        more = (f"--{variant}",) if kind == "own" and variant in ("vla", "disguise") else ()
        return Job(kind, options.seed, tuple(indices),
                   tuple(self.config(name, variant) for name in configs),
                   options.rounds, self.work / f"{kind}{number}", more, options.ways)

    def fixed(self):
        """Yields the jobs for the hundred programs of make check."""
        number = 0
        for kind, programs in (("own", FIXED_OWN), ("csmith", FIXED_CSMITH)):
            for first in range(0, programs, UNIT):
                configs = [CONFIGS[number * 2 % 8], CONFIGS[(number * 2 + 1) % 8]]
                yield self.job(kind, number, range(first, first + UNIT), configs,
                               VARIANTS[number % len(VARIANTS)])
                number += 1

    def endless(self):
        """Yields as many jobs as there is time for."""
        rng, number, begun = random.Random(self.options.seed), 0, time.monotonic()
        while time.monotonic() - begun < self.options.minutes * 60:
            kind = "csmith" if number % CSMITH_EVERY == CSMITH_EVERY - 1 else "own"
            if self.options.kind:
                kind = self.options.kind
            first = number * UNIT
            configs = self.options.config or rng.sample(CONFIGS, 2)
            yield self.job(kind, number, range(first, first + UNIT), configs,
                           rng.choice(VARIANTS))
            number += 1

    def jobs(self):
        """Returns the jobs that the command line asks for."""
        if self.options.only is not None:
            configs = self.options.config or CONFIGS[:8]
            return [self.job(self.options.kind or "own", 0, [self.options.only], configs)]
        if self.options.minutes:
            return self.endless()
        return self.fixed()

    def run(self):
        """Runs all jobs, several at a time. Creates each job only shortly before it can run."""
        self.work.mkdir(parents=True, exist_ok=True)
        build.build_harness(self.work / "harness")
        with concurrent.futures.ProcessPoolExecutor(self.options.jobs) as pool:
            running = set()
            for job in self.jobs():
                running.add(pool.submit(do_job, job))
                if len(running) > self.options.jobs:
                    done, running = concurrent.futures.wait(
                        running, return_when=concurrent.futures.FIRST_COMPLETED)
                    self.take(done)
            self.take(concurrent.futures.wait(running).done)

    def take(self, done):
        """Prints and counts the results of jobs."""
        for future in done:
            count = future.result()
            for difference in count.differences:
                print(f"FAIL: {difference.name} differs, {difference.config.name}: "
                      f"{difference.what}\n  {difference.command()}", flush=True)
            for text in count.undefined:
                print(f"FAIL: {text}", flush=True)
            self.count.merge(count)

    def reduce(self):
        """Reduces the first differences."""
        seen = set()
        for difference in self.count.differences:
            if difference.index in seen or len(seen) >= MAX_REDUCED:
                continue
            seen.add(difference.index)
            where = self.work / "found" / f"{difference.job.seed}-{difference.name}"
            small = reduce.reduce(difference, where, self.work / "harness")
            print(f"reduced to {small}", flush=True)

    def sanitize(self):
        """Checks that the behaviour of the programs is defined; returns how many units failed."""
        failed = 0
        for job in self.jobs():
            status, said = sanitize(job)
            if status or said:
                failed += 1
                print(f"FAIL: {job.kind} {job.indices[0]}...: status {status}\n{said[:3000]}")
        return failed


def parse():
    """Parses the command line."""
    parser = argparse.ArgumentParser(usage=re.sub(r"(?s).*usage: ", "", __doc__))
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ways", type=lambda text: int(text, 0))
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--config", action="append")
    parser.add_argument("--out", default=str(build.TOP / "build" / "fuzz"))
    parser.add_argument("--only", type=int)
    for name in ("flags", "checker", "maps"):
        parser.add_argument(f"--{name}", choices=("on", "off"), default="on")
    for name in ("vla", "disguise", "control", "sanitize"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--csmith", dest="kind", action="store_const", const="csmith")
    parser.add_argument("--own", dest="kind", action="store_const", const="own")
    options = parser.parse_args()
    if options.ways is None:
        fixed = not options.minutes and options.only is None
        options.ways = FIXED_WAYS if fixed else -1
    return options


def main():
    """Runs the fuzzer; returns the exit status."""
    options = parse()
    fuzzer = Fuzzer(options)
    passed = failed = 0
    if options.sanitize:
        failed = fuzzer.sanitize()
        print(f"fuzz: {int(not failed)} passed, {failed} failed, 0 skipped")
        return failed != 0
    if not options.control:
        if not build.load_checker():
            print("there is no checker, so every move is allowed")
        fuzzer.run()
        fuzzer.count.report()
        fuzzer.reduce()
        bad = {(d.job.kind, d.index) for d in fuzzer.count.differences}
        failed = len(bad) + len(fuzzer.count.undefined)
        programs = fuzzer.count.values.get("programs", 0)
        passed = max(programs - failed, 0)
    if options.control or not (options.minutes or options.only is not None):
        good, bad = controls.run(fuzzer.work)
        passed, failed = passed + good, failed + bad
    print(f"fuzz: {passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
