# SPDX-License-Identifier: GPL-2.0
"""Follows values along all paths of a function, to a fixed point.

The frame has two kinds of bytes. Those that only the compiler uses (spills, saved registers)
are *private*: only the instructions of this function read or write them. Bytes whose address
other code may have are *weak*: a call, or a store through a pointer, may have changed them.
Debug information tells which are which. If it does not know the variable whose address is
taken, all bytes near that address become weak, and the analysis starts again.
"""

from . import machine
from .cfg import FIXUP, FlowError
from .effects import BELOW, Effects, slot_keys
from .frame import REGION, at_entry, region
from .instructions import HANDLERS
from .machine import ARGUMENTS, RSP
from .values import ANY, NUM, POINTER, STK, UNDEF, Arithmetic, anything

MOST_ROUNDS = 200
RESULTS = machine.RAX, machine.RDX


class Flow:
    """The fixed point of a function. @debug is its debug information, or None."""

    def __init__(self, body, debug=None, kasan=False):
        self.body, self.debug = body, debug
        self.kasan = kasan
        self.everything_weak = debug is None or not debug.complete
        self.variables = list(debug.objects) if debug else []
        self.spilled = {(v.first, v.end) for v in debug.spilled} if debug else set()
        self.taken = {}         # {offset whose address is taken: places where}
        self.saved = set()      # bytes that keep registers of the caller
        self.wide = {}          # {word to which something other than a number is stored: where}
        self.pushed = set()     # likewise, for pushes
        self.whole = set()      # words that are read as a whole
        self.highest = 8        # nothing of this function is above this, not even arguments
        self.loaded = set()     # words that this function itself reads
        self.call_depths = set()
        self.lowest = {}        # lowest stack pointer, by region
        self.depths_known = False
        self._regions = {}
        if debug:
            self.highest = max([8] + [v.end for v in debug.objects + debug.spilled])
        self.objects = []
        if debug and debug.lowest and not self.everything_weak:
            self._find_lowest()
        self.objects = [(v.first, v.end) for v in self.variables]
        self._run()
        if self._regions and not self.everything_weak and \
                any(variable.first < 0 for variable in debug.objects):
            # In a frame that is aligned by hand, variables have no fixed place.
            self.everything_weak, self.variables = True, []
            self._run()

    def _find_lowest(self):
        """Places variables that count from the stack pointer: from its value below the whole
        frame, as at calls. If calls have different depths, there may be several places."""
        self.everything_weak = True
        self._run()
        self.everything_weak = False
        for variable in self.debug.lowest:
            for depth in self.call_depths:
                moved = variable.moved(depth)
                moved.alone &= len(self.call_depths) == 1
                self.variables.append(moved)

    def _run(self):
        while True:
            self.arith = Arithmetic(self.kasan)
            if self.debug:
                for number in self.debug.pointers:
                    self.arith.pointers.add(self.arith.origin("entry", number))
            self.effects = Effects(self, self.arith, HANDLERS)
            if self.depths_known:
                self.arith.is_far = self.is_far
            self._weak = {}
            self.again = False
            self.escaped = []
            self.kept = []      # (site, value): values stored where other code may read them
            self.scattered = [] # (site, parts of the address): stores of values that are not numbers
            self.copied = []    # (site, to, from, most bytes or None): copies
            self._solve()
            if not self.again and not self.depths_known and \
                    any(self.is_far(offset) for offset in self.taken):
                # Where such an address meets another value, its distance is no longer known.
                self.depths_known = self.again = True
            if not self.again:
                break

    def top(self, offset):
        """The highest address of anything of this function, in the region of an offset. A
        region that was aligned by hand ends earlier."""
        return self.highest - region(offset) * REGION

    def is_far(self, offset):
        """Whether an address is outside of the frame, and too far away to count as inside."""
        lowest = self.lowest.get(region(offset), offset)
        # A variable number of arguments may lie above.
        return not lowest - BELOW <= offset <= self.top(offset) + BELOW

    # --- For effects.py -----------------------------------------------------

    def aligned(self, place):
        """The offset of a stack pointer that is aligned at a place."""
        return -self._regions.setdefault(place, len(self._regions) + 1) * REGION

    def note_depth(self, offset):
        """Notes a new value of the stack pointer."""
        number = region(offset)
        self.lowest[number] = min(offset, self.lowest.get(number, offset))

    def take(self, offset):
        """Notes that the address of something in the frame is taken."""
        place = self.effects.site.place
        places = self.taken.get(offset)
        if places is None:
            places = self.taken[offset] = set()
            if offset < 8 and not self.everything_weak:
                self._find_object(offset)
        places.add(place)

    def _find_object(self, offset):
        """The variable at an address. Other code does not look for a variable that is in the
        frame only for a while, unless its address is taken."""
        if any(first <= offset < end for first, end in self.objects):
            return
        if (offset in self.saved or offset == -region(offset) * REGION) and \
                any(offset == end for _, end in self.objects):
            return      # one past the end of a variable
        found = {(first, end) for first, end in self.spilled if first <= offset < end}
        if found and not region(offset):
            self.objects += found
        else:
            self.objects.append(self._around(offset))
        self.again = True

    def _around(self, offset):
        """The range in which an unnamed object that contains an offset may lie. If it shares
        its place with a variable, both begin together; otherwise it is between variables."""
        number = region(offset)
        first, end = -number * REGION - REGION // 2, -number * REGION
        for start, _ in self.objects:
            if first < start <= offset:
                first = start
            elif offset < start < end:
                end = start
        return first, max(end, offset + 1)

    def is_weak(self, offset):
        """Whether other code may write a byte of the frame."""
        weak = self._weak.get(offset)
        if weak is None:
            if offset >= 0:
                weak = True
            elif self.everything_weak:
                weak = offset not in self.saved
            else:
                weak = offset not in self.saved and \
                    any(first <= offset < end for first, end in self.objects)
            self._weak[offset] = weak
        return weak

    def clobbered(self, offset, value):
        """The value of a weak piece that other code may have written."""
        if value.kind == NUM:
            return self.arith.unknown("weak", offset)
        if value.kind == STK:
            return anything(POINTER, value.sign)
        return value

    def arguments(self, site):
        """Registers in which a call may pass arguments; of inline assembly they are unknown."""
        bits = self.body.program.arguments(site)
        return tuple(number for number in ARGUMENTS if bits >> number & 1)

    def returned(self):
        """Registers in which the function may return values."""
        return RESULTS[:self.debug.results if self.debug else 2]

    def results(self, site):
        """Registers in which a call may return values."""
        known = self.body.program.prototypes.get(site.callee)
        return RESULTS[:known.results if known else 2]

    def takes_stack_arguments(self, site):
        """Whether a call may have arguments on the stack."""
        known = self.body.program.prototypes.get(site.callee)
        return site.keeps is None and not (known and known.arguments is not None and
                                           known.arguments <= 6)

    def argument_words(self, site, state):
        """Words on top of the stack that may be arguments of a call, because this function does
        not read them. The callee may write them."""
        if self.takes_stack_arguments(site):
            word = state.sp
            while word < 0 and word not in self.loaded and \
                    any(at in state.frame for at in range(word, word + 8)):
                yield word
                word += 8

    def stack_arguments(self, site, state):
        """Notes that a call may read the words at the stack pointer."""
        for word in self.argument_words(site, state):
            self.effects.use(slot_keys(word, 8))

    def escapes(self, site, value, size):
        """Notes a value that is stored where it cannot be followed."""
        if value.kind not in (NUM, ANY, UNDEF):
            self.escaped.append((site, value if size == 8 else self.arith.lower(value, size)))

    # --- The fixed point ----------------------------------------------------

    def _solve(self):
        body = self.body
        start = at_entry(self.arith)
        self.states = {block: start.copy() for block in body.entries}
        rounds = [0] * len(body.blocks)
        pending = set(block.number for block in body.entries)
        while pending:
            number = min(pending)
            pending.discard(number)
            block = body.blocks[number]
            rounds[number] += 1
            if rounds[number] > MOST_ROUNDS:
                raise FlowError(block.sites[0], "no fixed point")
            for succ, state in self._out_of(block):
                known = self.states.get(succ)
                if known is None:
                    self.states[succ] = state.copy()
                    pending.add(succ.number)
                    continue
                if known.regs[RSP] is not state.regs[RSP]:
                    raise FlowError(succ.sites[0], "stack pointer", "differs by path")
                if known.join(state, self.arith, succ.number, self.is_weak, self.clobbered):
                    pending.add(succ.number)
            if self.again:
                return

    def _out_of(self, block):
        """(successor, state) of each edge."""
        state = self.states[block].copy()
        execute = self.effects.execute
        last = block.sites[-1]
        for site in block.sites[:-1]:
            execute(site, state)
        before = state.copy() if any(edge == FIXUP for _, edge in block.succs) else None
        execute(last, state)
        return [(succ, self._at_fixup(last, before, state) if edge == FIXUP else state)
                for succ, edge in block.succs]

    def _at_fixup(self, site, before, after):
        """The state after a faulting access: it may be partly done, and the handler may have
        set registers."""
        state = before.copy()
        state.regs[RSP] = after.regs[RSP]
        state.join(after, self.arith, site.place, self.is_weak, self.clobbered)
        for fixup in self.body.obj.fixups[site.place]:
            for number in {fixup.data >> 8 & 15, machine.RAX, machine.RCX, machine.RDX}:
                if fixup.data and number != RSP:
                    state.regs[number] = self.arith.join(
                        state.regs[number], self.arith.unknown("fixup", site.place, number),
                        (site.place, "fixup", number))
        return state
