# SPDX-License-Identifier: GPL-2.0
"""The points of a function, and whether all that is live at each of them is plain."""

from . import machine
from .cfg import FlowError
from .effects import ADDED, MOVED, PLAINLY, READ_KEYS, slot_keys
from .frame import REGION, region
from .live import Liveness
from .machine import CALL, CALLEE_SAVED, MEM, NAMES, NONE, RDI, RIP, RSI, RSP
from .values import (ANY, BAD, DIFF, DISGUISED, HALF, LANES, NEGATED, SHIFTED, MINUS, MIXED, NEG, NUM, PART, SHADOW, STACK, STK,
                     TRUNC, UNDEF)


class Suspect:
    """Something at a point that may not be plain. @keys say where it is."""

    __slots__ = ("where", "keys", "value", "weak")

    def __init__(self, where, keys, value, weak=False):
        self.where, self.keys, self.value, self.weak = where, keys, value, weak


class Stop:
    """A point, before it is known whether all at it is plain.

    @words are offsets of words that surely hold no address, @halves those that do so
    if what is named there is dead.
    """

    __slots__ = ("block", "site", "kind", "sp", "lowest", "suspects", "words", "halves")

    def __init__(self, block, site, kind, sp, lowest):
        self.block, self.site, self.kind, self.sp, self.lowest = block, site, kind, sp, lowest
        self.suspects, self.words, self.halves = [], set(), {}


class Examination:
    """Walks once more over a function whose fixed point is known."""

    def __init__(self, flow):
        self.flow, self.body = flow, flow.body
        self.stops = []
        self.logs = {}
        self.limit = 8          # above are the caller's words
        self._liveness = None
        for block in self.body.blocks:
            self._walk(block)
        arith = flow.arith
        self.addresses, self._find = arith.settle(
            flow.effects.evidence | arith.pointers)
        self._settle_pairs()

    def _settle_pairs(self):
        """Of two that make up an address, one is an address: in doubt both."""
        doubtful = [pair for pair in self.flow.effects.pairs
                    if not any(self._find(org) in self.addresses for org in pair)]
        if doubtful:
            evidence = self.addresses | {org for pair in doubtful for org in pair}
            self.addresses, self._find = self.flow.arith.settle(evidence)

    def is_address(self, org):
        """Whether what came from there is known to be an address."""
        return self._find(org) in self.addresses

    # --- The walk ----------------------------------------------------------

    def _walk(self, block):
        state = self.flow.states[block].copy()
        for site in block.sites:
            lowest = self._touches(site, state)
            if lowest is not None:
                self._stop(block, site, "touch", state, lowest)
            if site.kind == CALL and site.keeps is None and site.returns:
                self._stop(block, site, "call", state, state.sp - 8)
            log = self.logs[site.place] = []
            self.flow.effects.execute(site, state, log)

    def _touches(self, site, state):
        """The lowest byte of deeper stack that a site may touch, or None."""
        insn, sp = site.insn, state.sp
        lowest = sp
        if site.kind == CALL or insn.name in ("push", "pushfq"):
            lowest = sp - 8
        for op in insn.ops:
            if op[0] == MEM and insn.name not in ("lea", "nop"):
                lowest = min(lowest, self._lowest(op, state, sp))
        if insn.name in ("movs", "stos", "ins"):
            for number in (RDI, RSI):
                if state.regs[number].kind == STK:
                    lowest = min(lowest, sp)
        touched = lowest < sp or self._uses_frame(insn, state)
        return lowest if touched and lowest < state.low else None

    @staticmethod
    def _lowest(op, state, sp):
        base = state.regs[op[1]] if op[1] not in (NONE, RIP) else None
        if base is not None and base.kind == STK and base.const is not None and op[2] == NONE:
            return base.const + op[4] if base.const + op[4] < sp else sp
        return sp

    @staticmethod
    def _uses_frame(insn, state):
        """Whether it reads or writes the frame at or above the stack pointer."""
        if insn.name in ("movs", "stos", "ins"):
            return STK in (state.regs[RDI].kind, state.regs[RSI].kind)
        if insn.name in ("lea", "nop"):
            return False
        for op in insn.ops:
            if op[0] == MEM:
                for number in op[1:3]:
                    if number not in (NONE, RIP) and state.regs[number].kind == STK:
                        return True
        return False

    def _stop(self, block, site, kind, state, lowest):
        stop = Stop(block, site, kind, state.sp, lowest)
        self.stops.append(stop)
        numbers = CALLEE_SAVED if kind == "call" else range(16)
        for number in numbers:
            value = state.regs[number]
            if number != RSP and not self._is_plain(value, stop):
                stop.suspects.append(Suspect(NAMES[number], READ_KEYS[8][number], value))
        if kind == "touch":
            for number, value in state.vectors.items():
                stop.suspects.append(Suspect(f"xmm{number}", (), value))
        self._look_at_frame(stop, state)

    def _is_plain(self, value, stop):
        """Whether there is nothing to ask about a word."""
        kind = value.kind
        if kind == NUM or kind == UNDEF:
            return True
        if kind == ANY:
            return value.sign < MIXED
        if kind == STK:
            if value.const is None:
                return value.sign < MIXED
            return self._within(value.const, stop)
        if kind == PART:
            return value.other.kind in (NUM, ANY, UNDEF)
        return kind == SHADOW and self.flow.kasan

    def _within(self, offset, stop):
        lowest = min(stop.sp, stop.lowest) if stop.kind == "touch" else stop.sp - 8
        return lowest <= offset <= self.limit

    def _look_at_frame(self, stop, state):
        sp, weak = stop.sp, self.flow.is_weak
        parts = {}
        for offset, (size, value) in state.frame.items():
            if offset < sp:
                continue
            if size == 8 and not offset & 7:
                if value.kind == NUM:
                    if not weak(offset) and region(offset) == region(sp):
                        stop.words.add(offset)
                elif not self._is_plain(value, stop):
                    stop.suspects.append(Suspect("", slot_keys(offset, 8), value, weak(offset)))
                continue
            if value.kind not in (NUM, UNDEF) and not (size == 8 and value.kind == ANY):
                stop.suspects.append(Suspect("", slot_keys(offset, size), value, weak(offset)))
            for word in {offset & ~7, (offset + size - 1) & ~7}:
                parts.setdefault(word, []).append((offset, size, value))
        for word, pieces in parts.items():
            if weak(word) or weak(word + 7) or word in self.flow.effects.rejoined or \
                    region(word) != region(sp) or word >= 0:
                continue
            if all(value.kind == NUM for _, _, value in pieces):
                stop.words.add(word)
            else:
                stop.halves[word] = pieces

    # --- The decision ------------------------------------------------------

    def live(self, stop):
        """How what is live at a stop will be used, by key."""
        if self._liveness is None:
            self._liveness = Liveness(self.body, self.logs)
        before, after = self._liveness.at(stop.block, stop.site)
        return before if stop.kind == "touch" else after

    def _kinds(self, stop, suspect):
        live = self.live(stop)
        kinds = PLAINLY if suspect.weak or not suspect.keys else 0
        upper = kinds
        for at, key in enumerate(suspect.keys):
            kinds |= live.get(key, 0)
            # The low 16 bits of an address never change.
            if at >= (1 if suspect.where else 2):
                upper |= live.get(key, 0)
        return kinds, upper

    def objection(self, stop, suspect):
        """(reason, detail) of what is not plain, or None."""
        value = suspect.value
        kinds, upper = self._kinds(stop, suspect)
        if not kinds:
            return None
        if suspect.value.kind in (STK, TRUNC, PART) and not upper:
            return None
        return self._judge(value, kinds, stop, suspect)

    def _judge(self, value, kinds, stop, suspect):
        kind = value.kind
        if kind == STK:
            return self._judge_stack(value, kinds, stop, suspect)
        if kind == ANY and value.sign >= MIXED:
            if kinds & ADDED and self.is_address(value.org):
                return "biased", "an address minus a variable"
        elif kind == DIFF:
            return self._judge_difference(value, kinds)
        elif kind == NEG and self.is_address(value.org):
            return NEGATED
        elif kind == TRUNC:
            return HALF
        elif kind == PART:
            return self._judge_part(value, kinds, stop, suspect)
        elif kind == SHADOW:
            return SHIFTED
        elif kind == LANES:
            return self._judge_lanes(value, stop, suspect)
        elif kind == BAD:
            return value.why
        return None

    def _judge_difference(self, value, kinds):
        one, two = self.is_address(value.org), self.is_address(value.other)
        # An argument is no address of this frame.
        foreign = STACK in (value.org, value.other) and \
            any(org in self.flow.effects.arguments for org in (value.org, value.other))
        if foreign and not two:
            return "biased", "a stack address minus a variable"
        if foreign:
            return "negated", "the difference of a stack address and another one"
        if one and not two and (kinds & ADDED or value.org == STACK):
            return "biased", "an address minus a variable"
        if two and kinds & MOVED:
            return "negated", "the difference of two addresses, one of which is added again"
        return None

    def _judge_stack(self, value, kinds, stop, suspect):
        if len(suspect.keys) < 8 and not suspect.where:
            return HALF
        if not suspect.where and suspect.keys[0] & 7:
            return "unaligned", "a stack address in an unaligned word"
        if value.const is not None:
            if not self._within(value.const, stop):
                return "biased", f"an address {value.const:+d} from the frame's base, outside of it"
        elif value.sign == MINUS or (value.sign == MIXED and kinds & ADDED):
            return "biased", "a stack address minus a variable"
        return None

    def _judge_part(self, value, kinds, stop, suspect):
        if value.other.kind == STK:
            return DISGUISED
        return self._judge(value.other, kinds, stop, suspect)

    def _judge_lanes(self, value, stop, suspect):
        for lane in value.other:
            if lane.kind == STK or (lane.kind == ANY and self.is_address(lane.org)):
                return "vector", "an address in a vector register"
            found = self._judge(lane, PLAINLY | ADDED, stop, suspect)
            if found:
                return found
        return None

    def _judge_stored(self, value):
        """A value that is stored where it cannot be followed."""
        if value.kind == STK:
            if value.const is not None and not -REGION * 99 < value.const <= self.limit:
                return "biased", "a stack address outside of the frame"
            return None
        return self._judge(value, PLAINLY, None, None) if value.kind != DIFF else None

    def decide(self):
        """[(stop, words)] of the points; raises FlowError if the function is refused."""
        for site, value in self.flow.escaped:
            found = self._judge_stored(value)
            if found:
                raise FlowError(site, found[0], f"{found[1]}, stored in memory")
        good = []
        for stop in self.stops:
            words = set(stop.words)
            left_out = False
            for suspect in stop.suspects:
                found = self.objection(stop, suspect)
                if not found:
                    continue
                if self._may_be_left_out(stop, suspect, found):
                    left_out = True
                    break
                raise FlowError(stop.site, found[0],
                                f"{found[1]}, {self._place_of(suspect, stop)}")
            if left_out:
                continue
            for word, pieces in stop.halves.items():
                if self._is_number(stop, pieces):
                    words.add(word)
            good.append((stop, words))
        return good

    @staticmethod
    def _may_be_left_out(stop, suspect, found):
        """A stack grows in place where a move was not approved. That is all right where
        no function is called with what is not plain."""
        del found
        if stop.kind != "touch":
            return False
        if stop.site.kind == CALL and stop.site.keeps is None:
            # No vector register hands an address over.
            return suspect.where.startswith("xmm")
        return bool(suspect.where) or suspect.value.kind == STK

    def _is_number(self, stop, pieces):
        """Whether all that is live of a word is numbers, and something is."""
        live, number = self.live(stop), False
        for offset, size, value in pieces:
            alive = any(live.get(key) for key in slot_keys(offset, size))
            if value.kind == NUM:
                number |= alive
            elif alive:
                return False
        return number

    @staticmethod
    def _place_of(suspect, stop):
        when = "at a call" if stop.kind == "call" else "where the stack may grow"
        if suspect.where:
            return f"in {suspect.where} {when}"
        return f"in the frame {when}"


__all__ = ["Examination", "RIP", "machine"]
