# SPDX-License-Identifier: GPL-2.0
"""The verdict on each function of a file, and check(), which makes it."""

import dataclasses
import os
import subprocess

from . import cfg
from .debuginfo import DebugInfo
from .flow import Flow
from .objfile import REPLACEMENTS, REWRITTEN, WIDTHS, ObjectFile
from .points import Examination
from .prototypes import of_sanitizers

ENDBR64 = bytes.fromhex("f30f1efa")

# A call of one of the kernel's thunks, which calls the address in a register.
THUNK = "__x86_indirect_thunk_"
# The registers that an instruction names without a prefix.
OLD_REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp")
LFENCE = 3      # bytes


@dataclasses.dataclass
class Refusal:
    """Why a function may not be moved. @reason is one of a few short classes."""

    offset: int
    insn: str
    reason: str
    detail: str = ""
    source: str = ""


@dataclasses.dataclass
class Point:
    """A place where a move may happen.

    @offset is the return address of a call ("call"), or an instruction that may be the first
    to touch deeper stack ("touch") and has not been executed yet. @numbers are (first word,
    number of words) from the stack pointer upwards that certainly hold no address.
    """

    offset: int
    kind: str
    numbers: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Function:
    """A function, or its part in another section (name.cold)."""

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
    """Checks the functions of a file one by one."""

    def __init__(self, path):
        self.obj = ObjectFile(path)
        self.debug = DebugInfo(self.obj)
        outside = [symbol.name for symbol in self.obj.symbols if not symbol.section]
        self.program = cfg.Program(self.obj, {**self.debug.prototypes, **of_sanitizers(outside)})
        self.kasan = any(name.startswith("__asan_") for name in outside)
        self.functions = {}

    def check(self):
        """All functions, in order of section and offset."""
        order, trusted = [], self.obj.trusted()
        for place, symbol in sorted(self.obj.functions.items()):
            section = self.obj.sections[symbol.section]
            if section.name == REPLACEMENTS:
                continue
            function = Function(symbol.name, section.name, symbol.value, symbol.size)
            function.masks = _masks(self.obj, self.program.decoder, symbol)
            function.trusted = place in trusted
            self.functions[place] = function
            order.append((function, symbol))
        for function, symbol in order:
            if not self.program.is_cold(symbol) and not function.trusted:
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
            points = examination.decide()
            denied = self._denied(body, examination)
            for stop, words in points:
                self._add_point(body, stop, words, denied)
            for site, name in examination.warnings():
                function.warnings.append(self._refusal(function, symbol, cfg.FlowError(
                    site, "bytes from outside", f"{name}[] is handed out: costack_opaque()?")))
        except cfg.FlowError as error:
            for part in parts:
                part.refusal, part.points = self._refusal(part, symbol, error), []

    def _refusal(self, part, symbol, error):
        """Attaches a refusal to the part where it happens, and to the start of other parts."""
        if error.site is None:
            return Refusal(0, "", error.reason, error.detail)
        place = self.program.homes.get(error.site.place, error.site.place)
        text = self._text(error.site)
        where = self.obj.function_at(place) or symbol
        if where.value != part.start or where.name != part.name:
            return Refusal(0, text, error.reason, f"{error.detail}, in {where.name}")
        return Refusal(place[1] - part.start, text, error.reason, error.detail,
                       self._source(place))

    def _text(self, site):
        """The instruction as text, with the name of the function that it calls."""
        if site.insn is None:
            return ""
        callee = site.callee
        if isinstance(callee, tuple):
            function = self.obj.functions.get(callee)
            callee = function.name if function else None
        if not callee and site.imm is not None and site.insn.target is not None:
            callee = site.imm.symbol.name       # a thunk, which calls the address in a register
        return f"{site.insn.name} {callee}" if callee else site.insn.text

    def _source(self, place):
        """File and line of an instruction, from the assembler's tools."""
        if not self.debug.units:
            return ""
        command = ["addr2line", "-e", self.obj.path, "-j", self.obj.sections[place[0]].name,
                   hex(place[1])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return ""
        line = done.stdout.split(" ")[0].strip()
        for directory in self.debug.directories:
            if line.startswith(directory + "/") and not os.path.exists(line.split(":")[0]):
                line = line[len(directory) + 1:]
        return "" if not line or "?" in line else line

    @staticmethod
    def _place(body, site, kind):
        """The place of a point, with alternatives patched in."""
        index, offset = body.home(site.place)
        return index, offset + (site.insn.size if kind == "call" else 0)

    @staticmethod
    def _offsets(site, kind, offset):
        """The offset of a point, and where it is if the kernel patches a call of a thunk.

        A kernel without retpolines replaces the call by "call *%reg", after an LFENCE on some
        processors, and fills up with NOPs: patch_retpoline() in its alternative.c. An LFENCE
        also moves what touches the stack. Without one, a NOP is there that is executed after
        the call, so that this place cannot be a point.
        """
        offsets = {offset}
        target = site.imm.symbol.name if site.kind == cfg.CALL and site.imm is not None else ""
        if kind == "call" and target.startswith(THUNK):
            call = 2 if target[len(THUNK):] in OLD_REGISTERS else 3
            start = offset - site.insn.size
            offsets |= {start + call, min(start + LFENCE + call, offset)}
        return offsets

    def _denied(self, body, examination):
        """(place, kind) of points in one alternative that are not points in another."""
        denied = {(place, "touch") for place in examination.left_out}
        for site in body.sites.values():
            if site.kind == cfg.CALL and site.keeps is not None:
                denied.add((self._place(body, site, "call"), "call"))
            if site.kind != cfg.CALL and body.is_alternative(site.place):
                denied.add((body.home(site.place), "touch"))
        return denied

    def _add_point(self, body, stop, words, denied):
        place = self._place(body, stop.site, stop.kind)
        if (place, stop.kind) in denied:
            return
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
        for offset in self._offsets(stop.site, stop.kind, place[1] - part.value):
            function.points.append(Point(offset, stop.kind, numbers))


def _masks(obj, decoder, symbol):
    """Bytes of a function that may differ in the running kernel: (offset, length), sorted."""
    start, end = symbol.value, symbol.value + symbol.size
    found = []
    data = obj.sections[symbol.section].data
    starts = None
    # With CONFIG_X86_KERNEL_IBT the kernel removes the ENDBR if nothing takes the address.
    if data[start:end].startswith(ENDBR64):
        found.append((start, len(ENDBR64)))
    for at, length in obj.patched[symbol.section]:
        if start <= at < end:
            if not length:
                insn = decoder.decode(data, at)
                length = insn.size if insn else 16
            found.append((at, length))
    for at, reloc in obj.reloc_within(symbol.section, start, end):
        width = WIDTHS.get(reloc.kind, 8)
        if reloc.symbol.name.startswith(REWRITTEN):
            # The field is at the end of the instruction; prefixes may come first.
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
    """Returns the verdict on each function of an object or module."""
    return Checker(path).check()
