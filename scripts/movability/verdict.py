# SPDX-License-Identifier: GPL-2.0
"""What the checker says of each function of a file, and check(), which makes it."""

import dataclasses

from . import cfg
from .debuginfo import DebugInfo
from .flow import Flow
from .objfile import REPLACEMENTS, REWRITTEN, WIDTHS, ObjectFile
from .points import Examination


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


class Checker:
    """Looks at one file after another function of it."""

    def __init__(self, path):
        self.obj = ObjectFile(path)
        self.debug = DebugInfo(self.obj)
        self.program = cfg.Program(self.obj, self.debug.prototypes)
        self.kasan = any(symbol.name.startswith("__asan_") and not symbol.section
                         for symbol in self.obj.symbols)
        self.functions = {}

    def check(self):
        """All functions, in order of section and offset."""
        order = []
        for place, symbol in sorted(self.obj.functions.items()):
            section = self.obj.sections[symbol.section]
            if section.name == REPLACEMENTS:
                continue
            function = Function(symbol.name, section.name, symbol.value, symbol.size)
            function.masks = _masks(self.obj, self.program.decoder, symbol)
            self.functions[place] = function
            order.append((function, symbol))
        for function, symbol in order:
            if not self.program.is_cold(symbol):
                self._look_at(function, symbol)
        for function, symbol in order:
            if self.program.is_cold(symbol) and not hasattr(function, "parent"):
                function.refusal = Refusal(0, "", "flow", "a part that no function jumps to")
        self.obj.close()
        return [function for function, _ in order]

    def _look_at(self, function, symbol):
        body = None
        parts = [function]
        try:
            body = self.program.body(symbol)
            parts = [self.functions[part.section, part.value] for part in body.own]
            for part in parts:
                part.parent = function
            examination = Examination(Flow(body, self.debug.function(body.entry),
                                           self.kasan))
            for stop, words in examination.decide():
                self._add_point(body, stop, words)
        except cfg.FlowError as error:
            refusal = self._refusal(symbol, error)
            for part in parts:
                part.refusal, part.points = refusal, []

    def _refusal(self, symbol, error):
        offset, text = 0, ""
        if error.site is not None:
            place = self.program.homes.get(error.site.place, error.site.place)
            offset = place[1] - symbol.value
            text = error.site.insn.text if error.site.insn else ""
        return Refusal(offset, text, error.reason, error.detail)

    def _add_point(self, body, stop, words):
        place = stop.site.end if stop.kind == "call" else stop.site.place
        if stop.kind == "call" and body.home(stop.site.place) != stop.site.place:
            place = body.home(stop.site.place)
            place = place[0], place[1] + stop.site.insn.size
        place = body.home(place)
        part = body.part_of((place[0], place[1] - (stop.kind == "call")))
        if part is None:
            return
        function = self.functions[part.section, part.value]
        numbers = []
        for word in sorted(words):
            index = (word - stop.sp) // 8
            if numbers and numbers[-1][0] + numbers[-1][1] == index:
                numbers[-1] = numbers[-1][0], numbers[-1][1] + 1
            else:
                numbers.append((index, 1))
        function.points.append(Point(place[1] - part.value, stop.kind, numbers))


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
    return Checker(path).check()
