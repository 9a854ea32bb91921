# SPDX-License-Identifier: GPL-2.0
"""The effect of each instruction on a state.

The same code serves two purposes. In the search for the fixed point only the state matters.
Afterwards, with a log, it also records what was read, written and copied, for live.py:

	(USE, keys, kinds)		read
	(FLOW, to, from, kinds)		if @to is read, so is @from, with the same uses
	(FEED, to, from)		if @to is read, so is @from, for something else
	(KILL, keys)			overwritten as a whole

A key is a part of a register, the flags, or a byte of the frame. Kinds say how a value is
used: at all; with a variable added; as an address with a large constant subtracted;
compared.
"""

from . import machine
from .cfg import FlowError
from .frame import UNKNOWN_REGISTER
from .machine import (ARGUMENTS, CALLEE_SAVED, CALLER_SAVED, IMM, MEM, NONE, RCX, REG, RIP, RSP,
                      VEC)
from .values import (ANY, BAD, DISGUISED, IN_VECTOR, LANES, LOOSE, NUM, NUMBER, PART, POINTER,
                     SHIFTED, STK, UNDEF, ZERO, anything, make, num, origin, stk)

LANES_UNKNOWN = make(LANES, other=(anything(POINTER),) * 8)

USE, FLOW, FEED, KILL = range(4)
PLAINLY, ADDED, MOVED, FAR_BACK, COMPARED = 1, 2, 4, 8, 16

# An address up to this far below the stack pointer still counts as one of the stack; and an
# address that is used with more subtracted may itself lie above the stack.
BELOW, ABOVE = 4096, 64

FLAGS = 16 * 3
SLOTS = 1 << 60

# Keys of a register: bytes 0 and 1, 2 and 3, 4 to 7.
READ_KEYS = {size: [tuple(range(number * 3, number * 3 + parts)) for number in range(16)]
             for size, parts in ((1, 1), (2, 1), (4, 2), (8, 3))}
KILL_KEYS = {size: [tuple(range(number * 3, number * 3 + parts)) for number in range(16)]
             for size, parts in ((1, 0), (2, 1), (4, 3), (8, 3))}
FLAG_KEYS = (FLAGS,)


def slot_keys(offset, size):
    """Keys of bytes of the frame."""
    return tuple(range(SLOTS + offset, SLOTS + offset + size))


def is_partly_undefined(value):
    """Whether only some low bytes of a register that a call may have changed were written."""
    return value.kind == PART and value.other.kind == UNDEF


class Address:
    """The place of a memory operand: @slot is an offset in the frame, or None if the operand
    is elsewhere or its place is not known; then @parts are the values that make its address."""

    __slots__ = ("slot", "parts")

    def __init__(self, slot=None, parts=()):
        self.slot, self.parts = slot, parts


ELSEWHERE = Address()


class Effects:
    """Executes instructions on states, for one function.

    @flow answers questions about the frame, @handlers are those of instructions.py.
    """

    def __init__(self, flow, arith, handlers):
        self.flow, self.arith, self.handlers = flow, arith, handlers
        self.log = None
        self.site = None
        self.evidence = set()
        self.pairs = set()
        self.rejoined = set()
        self.arguments = {arith.origin("entry", number) for number in ARGUMENTS}
        self.saved_values = {arith.unknown("entry", number) for number in CALLEE_SAVED}
        self.entry_values = {value.org for value in self.saved_values}
        self.state = None

    # --- The log -----------------------------------------------------------

    def use(self, keys, kinds=PLAINLY):
        """Logs that keys are read."""
        if self.log is not None and keys:
            self.log.append((USE, keys, kinds))

    def flows(self, target, source, kinds=0):
        """Logs that a value is copied: it is read if the copy is read."""
        if self.log is not None and source:
            self.log.append((FLOW, target, source, kinds))

    def feeds(self, target, source):
        """Logs that something is made from a value, which is read if the result is read."""
        if self.log is not None and source:
            self.log.append((FEED, target, source))

    def kill(self, keys):
        """Logs that keys are overwritten."""
        if self.log is not None and keys:
            self.log.append((KILL, keys))

    def refuse(self, reason, detail=""):
        """Refuses the function."""
        raise FlowError(self.site, reason, detail)

    def read_undefined(self, value):
        """Handles a read of a register that a call may have changed."""
        if self.log is not None and (value.kind == UNDEF or is_partly_undefined(value)):
            self.refuse("undefined", "reads a register that a call may have changed")

    def take(self, *values):
        """Notes that these values may contain the address of something."""
        for value in values:
            if value.kind == STK and value.const is not None:
                self.flow.take(value.const)

    # --- Registers ---------------------------------------------------------

    def reg(self, number, size=8, high=0):
        """The part of a register's value that is read."""
        value = self.state.regs[number]
        if size == 8:
            return value
        if high:
            return NUMBER if value.kind != UNDEF else value
        return self.arith.lower(value, size)

    def set_reg(self, number, value, size=8):
        """Writes a register."""
        if size < 4:
            value = self.arith.replaced(self.state.regs[number], value, size)
        elif size == 4:
            value = self.arith.lower(value, 4)
        if number == RSP:
            self.set_sp(value)
        else:
            self.state.regs[number] = value
            self.take(value)
        self.kill(KILL_KEYS[size][number])

    def set_sp(self, value):
        """Writes the stack pointer, whose value must stay known."""
        if value.kind != STK or value.const is None:
            by_variable = self.site.insn.name in ("sub", "add", "lea")
            self.refuse("stack pointer", "is moved by a variable: alloca(), or an array of "
                        "variable size" if by_variable else "cannot be followed")
        old = self.state.sp
        self.state.regs[RSP] = value
        self.flow.note_depth(value.const)
        if value.const > old:
            self.state.forget_below(value.const)

    # --- Memory ------------------------------------------------------------

    def address(self, mem):
        """Evaluates a memory operand: reads its registers and returns its place."""
        base, index, scale, disp, segment = mem[1:6]
        site = self.site
        if segment in ("gs", "fs"):
            self._use_address(base, index, None, None, disp)
            return ELSEWHERE
        if base == RIP:
            return ELSEWHERE
        one = self.state.regs[base] if base != NONE else ZERO
        if index == NONE:
            if one.kind == STK and one.const is not None and site.disp is None:
                if base != RSP:
                    self.use(READ_KEYS[8][base], PLAINLY | (FAR_BACK if disp < -ABOVE else 0))
                return Address(one.const + disp)
            two = ZERO
        else:
            two = self.state.regs[index]
            if one.kind == STK and one.const is not None and two.kind == NUM and \
                    two.const is not None and site.disp is None:
                self._use_address(base, index, None, None, disp)
                return Address(one.const + disp + two.const * scale)
        self.read_undefined(one)
        self.read_undefined(two)
        if self.log is not None:
            self._use_address(base, index, one, two, disp)
            self._evidence(one, two, scale)
        if STK in (one.kind, two.kind):
            address = one if one.kind == STK else two
            if address.const is not None:
                self.flow.take(address.const + disp)
                return Address(parts=(stk(address.const + disp),))
        return Address(parts=(one, two)) if self.log is not None else ELSEWHERE

    def _use_address(self, base, index, one, two, disp):
        if self.log is None:
            return
        kinds = PLAINLY | (FAR_BACK if disp < -ABOVE else 0)
        if index != NONE and (two is None or two.kind != NUM or two.const is None):
            kinds |= ADDED
        moved = PLAINLY | ADDED
        if one is not None and one.kind in (STK, ANY) and one.sign >= LOOSE:
            moved |= MOVED
        if base not in (NONE, RIP):
            self.use(READ_KEYS[8][base], kinds | (moved & MOVED if two is not None and
                                                  two.sign >= LOOSE else 0))
        if index != NONE:
            self.use(READ_KEYS[8][index], moved)

    def _evidence(self, one, two, scale):
        """A value that is used as an address is one; of a sum, the part that is not a number."""
        first = origin(one) if one.kind != NUM else 0
        second = origin(two) if two.kind != NUM and scale == 1 else 0
        if first and second:
            self.pairs.add((first, second))
        elif first or second:
            self.evidence.add(first or second)

    def check_slot(self, offset, size):
        """Handles an access to a known place in the frame."""
        state = self.state
        if offset < state.regs[RSP].const:
            self.refuse("below the stack", "uses memory below the stack pointer")
        if offset < state.low:
            state.low = offset
        if offset + size > self.flow.highest:
            self.flow.highest = offset + size

    def load(self, mem, size):
        """Reads memory: (value, keys)."""
        address = self.address(mem)
        if address.slot is None:
            return self.loaded(mem, size), ()
        return self.load_slot(address.slot, size)

    def loaded(self, mem, size):
        """A value of which nothing is known. The stack protector's canary is a number."""
        if size < 8:
            return NUMBER
        if mem[5] in ("gs", "fs") and (mem[1] == NONE and mem[4] == 0x28 or self.site.disp and
                                       "stack_chk_guard" in self.site.disp.symbol.name):
            return NUMBER
        return self.arith.unknown("load", self.site.place)

    def load_slot(self, offset, size, popped=False):
        """Reads the frame. A value that is only popped may have been an argument."""
        self.check_slot(offset, size)
        if not popped:
            words = offset & ~7, (offset + size - 1) & ~7
            self.flow.loaded.update(words)
            if size == 8:
                self.flow.whole.update(words)
        value, joined = self.state.load(offset, size)
        if joined and size == 8 and not popped:
            self.rejoined.update((offset // 8 * 8, (offset + 7) // 8 * 8))
        if value is None:
            value = NUMBER if size < 8 else self.arith.unknown("slot", offset)
        return value, slot_keys(offset, size) if self.log is not None else ()

    def store(self, mem, size, value, keys=()):
        """Writes memory; @keys is the source of the value, for the log."""
        self.store_at(self.address(mem), size, value, keys)

    def store_at(self, address, size, value, keys=()):
        """Writes memory at an address that was already evaluated."""
        if address.slot is not None:
            self.store_slot(address.slot, size, value, keys)
            return
        self.use(keys)
        self.take(value)
        if self.log is not None:
            self.read_undefined(value)
            self.flow.escapes(self.site, value, size)
            if size == 8 and value.kind != NUM:
                self.flow.kept.append((self.site, value))
                self.flow.scattered.append((self.site, address.parts))
        self.clobber()

    def store_slot(self, offset, size, value, keys=()):
        """Writes the frame."""
        self.check_slot(offset, size)
        state = self.state
        if size == 8:
            self.take(value)
        if size == 8 and value.kind == ANY and value.org in self.entry_values:
            self.flow.saved.update(range(offset, offset + 8))
        elif value.const == 8 and value.kind == STK and self.site.insn.name == "push":
            # In a frame that is aligned by hand this may be the end of the caller's frame.
            self.flow.saved.update(range(offset, offset + 8))
        if size == 8 and value.kind != NUM and self.site.insn.name == "push":
            self.flow.pushed.add(offset)        # perhaps only to make room
        elif size == 8 and value.kind != NUM and not offset & 7:
            self.flow.wide.setdefault(offset, set()).add(self.site.place)
        state.store(offset, size, value if size == 8 else self.arith.lower(value, size))
        if self.flow.is_weak(offset):
            state.fresh.add(offset)
        else:
            state.fresh.discard(offset)
        if self.log is not None:
            if size == 8 and self.flow.is_weak(offset):
                self.flow.kept.append((self.site, value))
            target = slot_keys(offset, size)
            self.flows(target, keys)
            self.kill(target)

    def clobber(self):
        """Other code may have written the variables whose address it has."""
        state = self.state
        if state.fresh:
            for offset in state.fresh:
                size, value = state.frame[offset]
                state.frame[offset] = size, self.flow.clobbered(offset, value)
            state.fresh = set()

    # --- Operands ----------------------------------------------------------

    def get(self, op, size=None):
        """An operand's value, and the keys of its place."""
        kind = op[0]
        if kind == REG:
            size = size or op[2]
            return self.reg(op[1], size, op[3]), READ_KEYS[size][op[1]]
        if kind == IMM:
            return (NUMBER if self.site.imm is not None else num(op[1])), ()
        if kind == MEM:
            return self.load(op, size or op[6])
        if kind == VEC:
            return self.state.vectors.get(op[1], LANES_UNKNOWN), ()
        return NUMBER, ()

    def put(self, op, value, keys=(), kinds=0):
        """Writes an operand; @keys is the source of the value."""
        if op[0] == REG:
            if self.log is not None:
                self.flows(READ_KEYS[8 if op[2] == 4 else op[2]][op[1]], keys, kinds)
            self.set_reg(op[1], value, op[2])
        elif op[0] == MEM:
            self.store(op, op[6], value, keys)
        else:
            self.use(keys)

    def set_flags(self, *sources):
        """Sets the flags from these keys."""
        if self.log is not None:
            for keys in sources:
                self.feeds(FLAG_KEYS, keys)
            self.kill(FLAG_KEYS)

    # --- Execution ---------------------------------------------------------

    def execute(self, site, state, log=None):
        """Applies a site to a state. The caller handles the control flow."""
        self.site, self.state, self.log = site, state, log
        insn = site.insn
        handler = self.handlers.get(insn.name)
        if site.kind is not None:
            self._control(site, insn)
        elif handler is not None:
            handler(self, insn)
        elif insn.name == "nop":
            pass
        else:
            self.generic(insn)

    def _control(self, site, insn):
        if site.kind == machine.CALL:
            self._call(site, insn)
        elif insn.name in machine.BRANCHES:
            if insn.name in ("loop", "loope", "loopne", "jrcxz", "jecxz", "jcxz"):
                self.use(READ_KEYS[8][RCX])
                if insn.name[0] == "l":
                    self.set_reg(RCX, NUMBER)
            self.use(FLAG_KEYS)
        if site.kind == machine.RET:
            self._leave_function(site, insn)
        elif site.kind == machine.JUMP and insn.ops and insn.ops[0][0] in (REG, MEM):
            self.use(self.get(insn.ops[0])[1])

    def _leave_function(self, site, insn):
        if self.state.sp != 0:
            self.refuse("flow" if insn.kind != machine.RET else "stack pointer",
                        "leaves the function with its frame")
        if insn.ops and insn.ops[0][0] in (REG, MEM) and insn.kind == machine.JUMP:
            self.use(self.get(insn.ops[0])[1])
            if insn.notrack or any(self.state.regs[number] not in self.saved_values
                                   for number in CALLEE_SAVED):
                self.refuse("flow", "jumps where it cannot be followed")
        if self.log is None:
            return
        leaving = self.flow.returned() if site.callee is None else self.flow.arguments(site)
        for number in leaving + CALLEE_SAVED:
            self.use(READ_KEYS[8][number])

    def _call(self, site, insn):
        if insn.ops and insn.ops[0][0] in (REG, MEM):
            value, keys = self.get(insn.ops[0])
            self.read_undefined(value)
            self.use(keys)
        state = self.state
        if site.keeps is None:
            self.flow.call_depths.add(state.sp)
        if self.log is not None:
            for number in self.flow.arguments(site):
                self.use(READ_KEYS[8][number])
            self.flow.stack_arguments(site, state)
        if site.keeps is None:
            for number in CALLER_SAVED:
                state.regs[number] = UNKNOWN_REGISTER
                self.kill(KILL_KEYS[8][number])
            state.vectors = dict.fromkeys(range(40), UNKNOWN_REGISTER)
            state.vectors[0] = state.vectors[1] = LANES_UNKNOWN
            written = self.flow.results(site)
            self.kill(FLAG_KEYS)
        else:
            written = site.keeps
        for number in written:
            state.regs[number] = self.arith.unknown("call", site.place, number)
            self.kill(KILL_KEYS[8][number])
        self.clobber()
        if not site.maybe:
            state.low = min(state.low, state.sp - 8)

    def generic(self, insn):
        """An instruction without handler: it writes the first operand and reads the others."""
        values = []
        numbers = insn.name in machine.MAKE_NUMBERS or insn.name in machine.READERS
        for op in insn.ops:
            value, keys = self.get(op)
            if value.kind == UNDEF and op[0] == REG and not \
                    (op is insn.ops[0] and insn.name in machine.MAKE_NUMBERS):
                self.read_undefined(value)
            elif value.kind == UNDEF and op[0] == VEC and op is not insn.ops[0]:
                self.read_undefined(value)
            elif value.kind != UNDEF:
                values += value.other if value.kind == LANES else (value,)
            self.use(keys)
        if insn.name in machine.READERS:
            self.set_flags()
            return
        if insn.has_vectors():
            result = self.arith.mixed(IN_VECTOR, *values)
        else:
            result = self.arith.mixed(SHIFTED if insn.name in machine.SHIFTS else DISGUISED,
                                      *values)
        mem = insn.memory()
        if mem is not None and insn.name in machine.REACH_FAR:
            address = self.address(mem)
            if address.slot is not None:
                self.flow.take(address.slot)
            self.clobber()
        if insn.ops:
            if result.kind != BAD and insn.has_vectors() and not numbers:
                result = self.arith.unknown("vector", self.site.place)
            self._put_generic(insn.ops[0], result)
        for number in insn.implicit:
            self.set_reg(number, NUMBER)

    def _put_generic(self, op, result):
        if op[0] == VEC:
            self.state.vectors[op[1]] = make(LANES, other=(result,) * (op[2] // 8))
        elif op[0] == MEM and op[6] not in (1, 2, 4, 8):
            self.store_wide(op, (result,) * max(op[6] // 8, 1))
        else:
            self.put(op, result if op[0] != REG or op[2] == 8 or result.kind == BAD else NUMBER)

    def load_wide(self, op, size):
        """The words of a memory operand from which a vector is made."""
        address = self.address(op)
        if address.slot is None:
            return tuple(self.arith.unknown("load", self.site.place, at)
                         for at in range(0, size, 8))
        lanes = []
        for at in range(0, size, 8):
            value, keys = self.load_slot(address.slot + at, min(8, size - at))
            self.use(keys)
            lanes.append(value)
        return tuple(lanes)

    def store_wide(self, op, lanes):
        """A store of more than a word: a vector, or processor state."""
        address = self.address(op)
        for number, lane in enumerate(lanes):
            if address.slot is None:
                self.store_at(address, 8, lane)
            else:
                self.store_slot(address.slot + 8 * number, 8, lane)
