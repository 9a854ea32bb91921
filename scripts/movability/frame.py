# SPDX-License-Identifier: GPL-2.0
"""A state of the machine: the registers, and the bytes of the frame.

The frame is a set of pieces that do not overlap, each with a value. Offsets count from the
stack pointer at entry, where the return address is. A stack pointer that is aligned by hand
begins a region of its own, REGION lower, because its distance is not known.
"""

from . import machine
from .values import ANY, BAD, DIFF, HALF, NEG, NUM, UNDEF, Arithmetic, bad, make, num, stk

REGION = 1 << 40

UNKNOWN_REGISTER = make(UNDEF)


def region(offset):
    """The region of an offset; 0 is that of the entry."""
    return (REGION // 2 - offset) // REGION


class State:
    """What is known between two instructions.

    @fresh are weak pieces (see flow.py) that no other code can have written since.
    @low is the lowest byte that has certainly been touched.
    """

    __slots__ = ("regs", "frame", "fresh", "vectors", "low")

    def __init__(self, regs, frame, fresh, vectors, low):
        self.regs, self.frame, self.fresh = regs, frame, fresh
        self.vectors, self.low = vectors, low

    def copy(self):
        """A copy that may be changed."""
        return State(self.regs[:], self.frame.copy(), self.fresh.copy(),
                     self.vectors.copy() if self.vectors else self.vectors, self.low)

    @property
    def sp(self):
        """The stack pointer; its value is always known."""
        return self.regs[machine.RSP].const

    # --- Pieces ------------------------------------------------------------

    def _overlapping(self, offset, size):
        """Starts of the pieces that overlap [offset, offset + size)."""
        frame = self.frame
        found = []
        for at in range(offset - 7, offset + size):
            piece = frame.get(at)
            if piece is not None and at + piece[0] > offset:
                found.append(at)
        return found

    def store(self, offset, size, value):
        """Writes a piece of up to eight bytes; other bytes of old pieces stay."""
        frame = self.frame
        piece = frame.get(offset)
        if piece is None or piece[0] != size:
            for at in self._overlapping(offset, size):
                old_size, old = frame.pop(at)
                self.fresh.discard(at)
                if at < offset:
                    self._leave(at, 0, offset - at, old)
                if at + old_size > offset + size:
                    delta = offset + size - at
                    self._leave(at, delta, old_size - delta, old)
        frame[offset] = size, value

    def _leave(self, at, delta, size, old):
        self.frame[at + delta] = size, Arithmetic.piece(old, delta, size)

    def load(self, offset, size):
        """The value of up to eight bytes, or None if some of them are unknown.

        Returns (value, whether it was put together from several pieces).
        """
        piece = self.frame.get(offset)
        if piece is not None and piece[0] == size:
            return piece[1], False
        starts = self._overlapping(offset, size)
        if not starts:
            return None, False
        if len(starts) == 1:
            at = starts[0]
            old_size, value = self.frame[at]
            if at <= offset and at + old_size >= offset + size:
                return Arithmetic.piece(value, offset - at, size), False
        return self._put_together(starts, offset, size), True

    def _put_together(self, starts, offset, size):
        total, bits = 0, 0
        for at in starts:
            old_size, value = self.frame[at]
            if value.kind == UNDEF:
                return value
            if value.kind not in (NUM, ANY, DIFF, NEG):
                return value if value.kind == BAD else bad(HALF)
            if value.kind != NUM or value.const is None or at < offset or \
                    at + old_size > offset + size:
                bits = -1 << 20
            else:
                total |= (value.const & ((1 << 8 * old_size) - 1)) << 8 * (at - offset)
                bits += old_size
        return num(total) if bits == size else None

    def forget_below(self, offset):
        """Drops the pieces below the stack pointer."""
        for at in [at for at in self.frame if at < offset]:
            del self.frame[at]
            self.fresh.discard(at)

    # --- Paths that meet ---------------------------------------------------

    def join(self, other, arith, where, weak, clobbered):
        """Joins another state with the same stack pointer, on a path to the place named by
        @where. Returns whether anything changed."""
        changed = False
        regs = self.regs
        for number, value in enumerate(other.regs):
            if regs[number] is not value:
                joined = arith.join(regs[number], value, (where, number))
                if joined is not regs[number]:
                    regs[number] = joined
                    changed = True
        if other.low > self.low:
            self.low = other.low
            changed = True
        if self.frame != other.frame:
            changed |= self._join_frames(other, arith, where, weak, clobbered)
        if not self.fresh <= other.fresh:
            self.fresh &= other.fresh
            changed = True
        if self.vectors != other.vectors:
            changed |= self._join_vectors(other, arith, where)
        return changed

    def _join_vectors(self, other, arith, where):
        joined = {}
        for number in self.vectors.keys() | other.vectors.keys():
            one, two = self.vectors.get(number), other.vectors.get(number)
            if one is not None and two is not None:
                joined[number] = arith.join(one, two, (where, "vector", number))
            elif UNKNOWN_REGISTER in (one, two):
                joined[number] = UNKNOWN_REGISTER
        changed = joined != self.vectors
        self.vectors = joined
        return changed

    def _join_frames(self, other, arith, where, weak, clobbered):
        mine, others = self.frame, other.frame
        result, ragged = {}, []
        for at, piece in mine.items():
            theirs = others.get(at)
            if theirs is not None and theirs[0] == piece[0]:
                result[at] = piece if theirs[1] is piece[1] else \
                    (piece[0], arith.join(piece[1], theirs[1], (where, "frame", at)))
            elif theirs is None and not other._overlapping(at, piece[0]):
                result[at] = (piece[0], clobbered(at, piece[1])) if weak(at) else piece
            else:
                ragged.append((at, piece))
        for at, piece in others.items():
            if at in result:
                continue
            if not self._overlapping(at, piece[0]):
                result[at] = (piece[0], clobbered(at, piece[1])) if weak(at) else piece
            else:
                ragged.append((at, piece))
        if ragged:
            self._join_ragged(result, ragged, arith, where)
        if result == mine:
            return False
        self.frame = result
        return True

    @staticmethod
    def _join_ragged(result, ragged, arith, where):
        """Cuts pieces that overlap in different ways at every edge."""
        cuts = sorted({at for at, _ in ragged} | {at + piece[0] for at, piece in ragged})
        for start, end in zip(cuts, cuts[1:]):
            value = None
            for at, (size, old) in ragged:
                if at <= start and at + size >= end:
                    part = Arithmetic.piece(old, start - at, end - start)
                    value = part if value is None else arith.join(value, part, (where, "frame", start))
            if value is not None:
                result[start] = end - start, value


def at_entry(arith):
    """The state in which a function begins."""
    regs = [arith.unknown("entry", number) for number in range(16)]
    regs[machine.RSP] = stk(0)
    return State(regs, {}, set(), {}, 0)
