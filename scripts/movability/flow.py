# SPDX-License-Identifier: GPL-2.0
"""Follows values over all paths of a function, to a fixed point.

The frame is looked at in two ways. What only the compiler uses (spills, saved registers)
is *private*: nobody but the instructions seen here reads or writes it. What others may
have the address of is *weak*: a call, or a store through a pointer, may have changed it.
Which is which, debug information says; where it does not know the variable whose address
is taken, everything about there is weak. The whole is done once more when that turns out.
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
    """The fixed point of one function. @debug is what debug information knows, or None."""

    def __init__(self, body, debug=None, kasan=False):
        self.body, self.debug = body, debug
        self.kasan = kasan
        self.everything_weak = debug is None or not debug.complete
        self.variables = list(debug.objects) if debug else []
        self.spilled = {(v.first, v.end) for v in debug.spilled} if debug else set()
        self.taken = {}         # offset whose address is taken: places where
        self.saved = set()      # bytes where registers of the caller are kept
        self.wide = {}          # word that something else than a number is stored to: where
        self.pushed = set()     # likewise, by a push
        self.whole = set()      # words that something of eight bytes is read of
        self.highest = 8        # above is nothing of this function, arguments included
        self.loaded = set()     # words that are read by this function itself
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
            # In a frame that is aligned by hand variables have no fixed place.
            self.everything_weak, self.variables = True, []
            self._run()

    def _find_lowest(self):
        """Variables that count from the stack pointer: it is that below the whole frame,
        as it is at calls. At several depths there may be several."""
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
            self.kept = []      # (site, value) that is stored where others may look
            self.scattered = [] # (site, parts of the address) of stores of what is no number
            self.copied = []    # (site, to, from, most bytes or None) of copies
            self._solve()
            if not self.again and not self.depths_known and \
                    any(self.is_far(offset) for offset in self.taken):
                # Where such an address meets others it is no longer known how far it is.
                self.depths_known = self.again = True
            if not self.again:
                break

    def top(self, offset):
        """The highest address that something of this function has, in the region of an
        offset. Above a region that was aligned by hand there is less than that."""
        return self.highest - region(offset) * REGION

    def is_far(self, offset):
        """Whether an address is neither in the frame nor so near that it counts as if."""
        lowest = self.lowest.get(region(offset), offset)
        # Above, a variable number of arguments may lie.
        return not lowest - BELOW <= offset <= self.top(offset) + BELOW

    # --- What effects.py asks -----------------------------------------------

    def aligned(self, place):
        """The offset of a stack pointer that is aligned at a place."""
        return -self._regions.setdefault(place, len(self._regions) + 1) * REGION

    def note_depth(self, offset):
        """The stack pointer is set."""
        number = region(offset)
        self.lowest[number] = min(offset, self.lowest.get(number, offset))

    def take(self, offset):
        """The address of something in the frame is taken."""
        place = self.effects.site.place
        places = self.taken.get(offset)
        if places is None:
            places = self.taken[offset] = set()
            if offset < 8 and not self.everything_weak:
                self._find_object(offset)
        places.add(place)

    def _find_object(self, offset):
        """Whose address it is. A variable that is in the frame for a while only is not
        looked for there by others, unless its address is taken."""
        if any(first <= offset < end for first, end in self.objects):
            return
        if (offset in self.saved or offset == -region(offset) * REGION) and \
                any(offset == end for _, end in self.objects):
            return      # one past the end, where no variable can be
        found = {(first, end) for first, end in self.spilled if first <= offset < end}
        if found and not region(offset):
            self.objects += found
        else:
            self.objects.append(self._around(offset))
        self.again = True

    def _around(self, offset):
        """Where something without a name may lie that has an offset in it. What shares its
        place with a variable begins where that does; all else lies between variables."""
        number = region(offset)
        first, end = -number * REGION - REGION // 2, -number * REGION
        for start, _ in self.objects:
            if first < start <= offset:
                first = start
            elif offset < start < end:
                end = start
        return first, max(end, offset + 1)

    def is_weak(self, offset):
        """Whether others may write a byte of the frame."""
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
        """What a weak piece may hold when others may have written it."""
        if value.kind == NUM:
            return self.arith.unknown("weak", offset)
        if value.kind == STK:
            return anything(POINTER, value.sign)
        return value

    def arguments(self, site):
        """Registers that a call may pass arguments in. Inline assembly tells no one."""
        bits = self.body.program.arguments(site)
        return tuple(number for number in ARGUMENTS if bits >> number & 1)

    def returned(self):
        """Registers that the function may return values in."""
        return RESULTS[:self.debug.results if self.debug else 2]

    def results(self, site):
        """Registers that a call may return values in."""
        known = self.body.program.prototypes.get(site.callee)
        return RESULTS[:known.results if known else 2]

    def takes_stack_arguments(self, site):
        """Whether a call may have arguments on the stack."""
        known = self.body.program.prototypes.get(site.callee)
        return site.keeps is None and not (known and known.arguments is not None and
                                           known.arguments <= 6)

    def argument_words(self, site, state):
        """Words on top of the stack that may be arguments of a call: this function does not
        read them. The callee may write them."""
        if self.takes_stack_arguments(site):
            word = state.sp
            while word < 0 and word not in self.loaded and \
                    any(at in state.frame for at in range(word, word + 8)):
                yield word
                word += 8

    def stack_arguments(self, site, state):
        """A call may read what lies at the stack pointer."""
        for word in self.argument_words(site, state):
            self.effects.use(slot_keys(word, 8))

    def escapes(self, site, value, size):
        """A value is stored where it cannot be followed."""
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
        """A faulting access: some of it may have been done; the handler may set registers."""
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
