# SPDX-License-Identifier: GPL-2.0
"""What the checker says of each function of a file, and check(), which makes it."""

import dataclasses

from . import machine
from .machine import IMM, MEM, REG, RSP
from .objfile import REPLACEMENTS, REWRITTEN, WIDTHS, ObjectFile


@dataclasses.dataclass
class Refusal:
    """Why a function may not be moved: @reason is one of few short classes."""

    offset: int
    insn: str
    reason: str
    detail: str = ""
    source: str = ""


@dataclasses.dataclass
class Point:
    """A place where a move may come.

    @offset is the return address of a call ("call"), or an instruction that may be the
    first to touch deeper stack ("touch") and has not been executed yet. @numbers are
    (first word, words) from the stack pointer up that surely hold no address.
    """

    offset: int
    kind: str
    numbers: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Function:
    """A function, or the part of it that lies in another section (name.cold)."""

    name: str
    section: str
    start: int
    size: int
    refusal: Refusal = None
    trusted: bool = False
    points: list = dataclasses.field(default_factory=list)
    masks: list = dataclasses.field(default_factory=list)
    warnings: list = dataclasses.field(default_factory=list)


class Refused(Exception):
    """Carries the refusal out of wherever it was found."""

    def __init__(self, offset, insn, reason, detail=""):
        super().__init__(reason)
        self.refusal = Refusal(offset, insn, reason, detail)


def _moves_plainly(insn):
    """Whether an instruction that writes the stack pointer does it in a known way."""
    ops = insn.ops
    if insn.name in ("push", "pop", "leave", "pushfq", "popfq"):
        return not (insn.name == "pop" and ops and ops[0][:2] == (REG, RSP))
    if insn.name in ("sub", "add", "and"):
        return ops[1][0] == IMM
    if insn.name == "lea":
        return ops[1][2] == machine.NONE
    return insn.name == "mov" and ops[1][0] == REG


def _look(decoder, data, symbol):
    """Points of a function, by looking at one instruction after the other."""
    points = []
    offset = 0
    while offset < symbol.size:
        insn = decoder.decode(data, symbol.value + offset)
        if insn is None or not insn.known:
            raise Refused(offset, insn.text if insn else "", "unknown instruction")
        ops = insn.ops
        if ops and ops[0][:2] == (REG, RSP) and insn.name not in ("cmp", "test", "push") and \
                not _moves_plainly(insn):
            raise Refused(offset, insn.text, "stack pointer")
        mem = insn.memory()
        if insn.name == "push" or insn.kind == machine.CALL or \
                (mem and mem[1] == RSP and ops[0][0] == MEM and insn.name != "cmp"):
            points.append(Point(offset, "touch"))
        if insn.kind == machine.CALL and offset + insn.size < symbol.size:
            points.append(Point(offset + insn.size, "call"))
        offset += insn.size
    return points


def _masks(obj, decoder, symbol):
    """Bytes of a function that differ in the running kernel: (offset, length), sorted."""
    start, end = symbol.value, symbol.value + symbol.size
    found = []
    data = obj.sections[symbol.section].data
    starts = None
    for at, length in obj.patched[symbol.section]:
        if start <= at < end:
            if not length:
                insn = decoder.decode(data, at)
                length = insn.size if insn else 16
            found.append((at, length))
    for at, reloc in obj.reloc_within(symbol.section, start, end):
        width = WIDTHS.get(reloc.kind, 8)
        if reloc.symbol.name.startswith(REWRITTEN):
            # The field is the end of the instruction; prefixes may come before.
            starts = starts if starts is not None else _starts(decoder, data, symbol)
            first = max((s for s in starts if s <= at), default=at)
            found.append((first, at + width - first))
        else:
            found.append((at, width))
    merged = []
    for at, length in sorted(found):
        length = min(length, end - at)
        if merged and at <= merged[-1][0] + merged[-1][1]:
            first = merged[-1][0]
            merged[-1] = (first, max(merged[-1][1], at + length - first))
        else:
            merged.append((at, length))
    return [(at - start, length) for at, length in merged]


def _starts(decoder, data, symbol):
    offset, starts = symbol.value, []
    while offset < symbol.value + symbol.size:
        insn = decoder.decode(data, offset)
        starts.append(offset)
        offset += insn.size if insn else 1
    return starts


def check(path):
    """Returns what there is to say of each function of an object or module."""
    obj = ObjectFile(path)
    decoder = machine.Decoder()
    functions = []
    for _, symbol in sorted(obj.functions.items()):
        section = obj.sections[symbol.section]
        if section.name == REPLACEMENTS:
            continue
        function = Function(symbol.name, section.name, symbol.value, symbol.size)
        function.masks = _masks(obj, decoder, symbol)
        try:
            function.points = _look(decoder, section.data, symbol)
        except Refused as refused:
            function.refusal = refused.refusal
        functions.append(function)
    obj.close()
    return functions
