# SPDX-License-Identifier: GPL-2.0
"""Controls of the fuzzer: without a protection, it must find the errors that this prevents.

A control consists of a class of programs that a move breaks, and the protection.
"""

import dataclasses

import build
import gen


@dataclasses.dataclass(frozen=True)
class Control:
    """Some of the programs differ with the flags @broken, but not with the flags @right."""

    name: str
    idioms: str
    options: tuple
    broken: tuple
    right: tuple            # None: the checker refuses these programs


LOOPS = "biased,pages,backwards,mirrored,to_end,together,strided"

CONTROLS = [
    Control("ivopts", LOOPS, (), ("-fno-ira-share-spill-slots",),
            ("-fno-ira-share-spill-slots", "-fno-ivopts")),
    Control("half a word", "halves,crowd,calls", (), ("-fno-ivopts",),
            ("-fno-ivopts", "-fno-ira-share-spill-slots")),
    Control("VLA", "variable_length,allocated,crowd", ("--vla",),
            ("-fno-ivopts", "-fno-ira-share-spill-slots"), None),
]

PROGRAMS = 30
# The ways of harness.c without junk, one bit each. They suffice to find the errors that the flags
# prevent.
NO_JUNK = 0x45


def differing(control, source, work, config, checker, harness):
    """Returns the programs that differ."""
    unit = build.Unit(source, work, config, checker)
    unit.build(harness)
    lines, status, said = unit.run(1, 4, -1, -1, NO_JUNK)
    if status not in (0, 1):
        raise build.Failed(f"the harness ended with status {status}: {said}")
    return {line.split()[1] for line in lines if line.startswith("differs")}


def check(control, work, harness):
    """Checks that programs differ without the protection, and fewer with it.

    Returns an error text, or None.
    """
    work.mkdir(parents=True, exist_ok=True)
    source = work / "unit.c"
    options = gen.arguments([*control.options, "--idioms", control.idioms])
    source.write_text(gen.unit(1, range(PROGRAMS), options), encoding="ascii")
    config = build.Config("O2", flags=control.broken, checker=False)
    found = differing(control, source, work / "broken", config, None, harness)
    if not found:
        return "not found"
    checker = build.load_checker()
    if control.right is not None:
        config = dataclasses.replace(config, flags=control.right)
        left = differing(control, source, work / "right", config, None, harness)
    elif checker:
        config = dataclasses.replace(config, checker=True)
        left = differing(control, source, work / "checked", config, checker, harness)
    else:
        left = set()
    print(f"control: {control.name}: {len(found)} of {PROGRAMS} programs differ, "
          f"{len(found & left)} of them with the protection")
    return f"still there: {' '.join(sorted(found & left))}" if found <= left else None


def run(work):
    """Runs all controls; returns how many passed and failed."""
    harness = build.build_harness(work / "harness")
    passed = failed = 0
    for control in CONTROLS:
        text = check(control, work / f"control-{control.name.replace(' ', '-')}", harness)
        if text:
            failed += 1
            print(f"FAIL: control {control.name}: {text}")
        else:
            passed += 1
    return passed, failed
