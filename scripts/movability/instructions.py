# SPDX-License-Identifier: GPL-2.0
"""Handlers for the instructions that compilers use, one for each kind.

A handler gets the Effects that it works on and the instruction. It changes the state and, if
there is a log, records what is read, written and copied.
"""

from .effects import (ABOVE, ADDED, COMPARED, FAR_BACK, FLAG_KEYS, KILL_KEYS, MOVED, PLAINLY,
                      READ_KEYS, is_partly_undefined)
from .machine import IMM, MEM, NONE, RAX, RBP, RBX, RCX, RDI, RDX, REG, RIP, RSI, RSP, STRINGS, VEC
from .values import (ANY, DIFF, LANES, LOOSE, NUM, NUMBER, PART, PLAIN, PLUS, SHIFTED, STK,
                     UNDEF, ZERO, make, num, origin, stk)


def do_mov(fx, insn):
    """mov, movabs, movnti"""
    target, source = insn.ops
    value, keys = fx.get(source)
    if target[0] == REG and target[1] == RBP and source[:2] == (REG, RSP) and \
            value.const == -8:
        fx.state.regs[RBP] = value      # this is a frame pointer: nothing is at its address
        fx.flows(READ_KEYS[8][RBP], keys)
        fx.kill(KILL_KEYS[8][RBP])
        return
    if target[0] == REG and source[0] not in (REG, IMM, MEM):
        value = fx.arith.unknown("special", fx.site.place) if source[1] == "cr2" else NUMBER
    fx.put(target, value, keys)


def do_movx(fx, insn):
    """movzx, movsx, movsxd"""
    target, source = insn.ops
    value, keys = fx.get(source)
    size = source[2] if source[0] == REG else source[6]
    if insn.name != "movzx" and size < target[2]:
        value = fx.arith.extended(value, size)
    fx.put(target, value, keys)


def do_extend(fx, insn):
    """cbw, cwde, cdqe: within rax; cwd, cdq, cqo: the sign, in rdx"""
    if insn.name in ("cqo", "cdq", "cwd"):
        fx.flows(READ_KEYS[8][RDX], READ_KEYS[8][RAX])
        fx.set_reg(RDX, NUMBER, 2 if insn.name == "cwd" else 8)
        return
    size = {"cbw": 1, "cwde": 2, "cdqe": 4}[insn.name]
    value = fx.arith.extended(fx.reg(RAX, size), size)
    fx.flows(READ_KEYS[8][RAX], READ_KEYS[size][RAX])
    fx.set_reg(RAX, value, size * 2)


def do_lea(fx, insn):
    """lea: makes an address, and does not access memory"""
    target, mem = insn.ops
    base, index, scale, disp = mem[1:5]
    if fx.site.disp is not None or base == RIP:
        value = NUMBER if base in (NONE, RIP) else fx.arith.add(fx.reg(base), NUMBER,
                                                               fx.site.place)
    else:
        value = fx.reg(base) if base != NONE else ZERO
        if index != NONE and disp and value.kind == STK:
            value = fx.arith.add(value, num(disp), fx.site.place)
            disp = 0
    if index != NONE:
        fx.read_undefined(fx.reg(index))
        other = fx.reg(index)
        added = fx.arith.scaled(other, scale)
        if base == index and other.kind == ANY:
            value = added = fx.arith.scaled(other, 2)
        if value.kind == STK and value.const is not None and \
                (added.kind != NUM or added.const is None):
            fx.flow.take(value.const)
        if fx.log is not None:
            _lea_flows(fx, target, base, index, scale, value, added)
        value = fx.arith.add(value, added, fx.site.place)
    elif base not in (NONE, RIP):
        fx.flows(READ_KEYS[8][target[1]], READ_KEYS[8][base], FAR_BACK if disp < -ABOVE else 0)
    if disp and fx.site.disp is None and base != RIP:
        value = fx.arith.add(value, num(disp), fx.site.place)
    if fx.log is not None:
        fx.read_undefined(value)
    if target[1] == RBP and base == RSP and index == NONE and value.const == -8:
        fx.state.regs[RBP] = value
        fx.kill(KILL_KEYS[8][RBP])
        return
    fx.set_reg(target[1], value if target[2] == 8 else fx.arith.lower(value, 4), target[2])


def _lea_flows(fx, target, base, index, scale, value, added):
    kinds = ADDED if added.kind != NUM or added.const is None else 0
    if base not in (NONE, RIP):
        moved = MOVED if added.sign >= LOOSE and added.kind in (STK, ANY) else 0
        fx.flows(READ_KEYS[8][target[1]], READ_KEYS[8][base], kinds | moved)
    moved = MOVED if value.kind in (STK, ANY) and value.sign >= LOOSE else 0
    if scale == 1:
        fx.flows(READ_KEYS[8][target[1]], READ_KEYS[8][index], ADDED | moved)
    else:
        fx.feeds(READ_KEYS[8][target[1]], READ_KEYS[8][index])


def do_push(fx, insn):
    """push"""
    if insn.name == "push":
        value, keys = fx.get(insn.ops[0], 8 if insn.ops[0][0] != IMM else None)
        if insn.ops[0][0] != IMM and insn.ops[0][2 if insn.ops[0][0] == REG else 6] != 8:
            fx.refuse("half word", "pushes less than a word")
    else:
        value, keys = NUMBER, FLAG_KEYS
    fx.set_sp(stk(fx.state.sp - 8))
    fx.state.low = min(fx.state.low, fx.state.sp)
    fx.store_slot(fx.state.sp, 8, value, keys)


def do_pop(fx, insn):
    """pop"""
    value, keys = fx.load_slot(fx.state.sp, 8, True)
    if insn.name == "pop":
        op = insn.ops[0]
        if op[:2] == (REG, RSP):
            fx.set_sp(value)
            return
        if op[0] == REG:
            fx.put(op, value, keys)
        else:
            fx.set_sp(stk(fx.state.sp + 8))
            fx.store(op, 8, value, keys)
            return
    else:
        fx.use(keys)
        fx.kill(FLAG_KEYS)
    fx.set_sp(stk(fx.state.sp + 8))


def do_leave(fx, _insn):
    """leave"""
    fx.use(READ_KEYS[8][RBP])
    fx.set_sp(fx.reg(RBP))
    value, keys = fx.load_slot(fx.state.sp, 8)
    fx.put((REG, RBP, 8, 0), value, keys)
    fx.set_sp(stk(fx.state.sp + 8))


def do_enter(fx, _insn):
    """enter"""
    fx.refuse("unknown instruction", "enter")


def do_exchange(fx, insn):
    """xchg"""
    one, two = insn.ops
    first, first_keys = fx.get(one)
    if two[0] == MEM:
        one, two = two, one
        first, first_keys = fx.get(one)
    second, second_keys = fx.get(two)
    if one[0] == REG and fx.log is not None:
        size = one[2]
        a, b = READ_KEYS[size][one[1]], READ_KEYS[size][two[1]]
        fx.use(a)
        fx.use(b)
    fx.put(one, second, second_keys if one[0] == MEM else ())
    fx.put(two, first, first_keys if one[0] == MEM else ())


def do_cmov(fx, insn):
    """cmovcc"""
    target, source = insn.ops
    value, keys = fx.get(source)
    old, old_keys = fx.get(target)
    fx.take(value)
    fx.use(FLAG_KEYS)
    if fx.log is not None:
        fx.read_undefined(value)
        fx.flows(READ_KEYS[8][target[1]], keys)
        fx.flows(READ_KEYS[8][target[1]], old_keys)
    joined = fx.arith.join(old, value, fx.site.place)
    fx.set_reg(target[1], joined, target[2])


def do_set(fx, insn):
    """setcc"""
    fx.put(insn.ops[0], num(None, PLUS, 1), FLAG_KEYS)


def _variable(value):
    return value.kind != NUM or value.const is None


def _two(fx, insn, combine):
    """target = target op source, for operations of 8 bytes or less."""
    target, source = insn.ops
    size = target[2] if target[0] == REG else target[6]
    value, keys = fx.get(source, size if source[0] != IMM else None)
    old, old_keys = fx.get(target, size)
    partly = [one for one in (value, old) if is_partly_undefined(one)]
    if partly:
        # The low bytes that were written are enough for the low bytes of the result.
        written = min(one.const for one in partly)
        small = value.kind == NUM and value.const is not None and 0 <= value.const < 128
        result = NUMBER if insn.name == "and" and small else make(PART, written,
                                                                  other=partly[0].other)
    else:
        fx.read_undefined(value)
        fx.read_undefined(old)
        if target[:2] != (REG, RSP):
            fx.take(value, old)
        result = combine(old, value)
    if size < 8:
        result = fx.arith.lower(result, size)
    if fx.log is not None:
        _log_two(fx, target, size, (value, keys), (old, old_keys))
    if target[0] == REG:
        fx.set_reg(target[1], result, size)
    else:
        fx.store(target, size, result, old_keys + keys)


def _log_two(fx, target, size, new, old):
    subtracts = fx.site.insn.name in ("sub", "sbb")
    fx.set_flags(new[1], old[1])
    if subtracts and new[0].kind != NUM and old[0].kind != NUM:
        fx.use(new[1] + old[1], PLAINLY | COMPARED)
    if target[0] != REG:
        return
    place = READ_KEYS[8 if size == 4 else size][target[1]]
    if subtracts and new[0].kind == DIFF and new[0].org == origin(old[0]):
        fx.flows(place, new[1], MOVED)
    for (_, keys), (other, _) in ((new, old), (old, new)):
        if _variable(other):
            kinds = ADDED
        else:
            kinds = FAR_BACK if (-other.const if subtracts else other.const) < -ABOVE else 0
        if other.kind in (STK, ANY) and other.sign >= LOOSE:
            kinds |= MOVED
        fx.flows(place, keys, kinds)


def do_add(fx, insn):
    """add, adc"""
    if insn.lock and insn.ops[0][:3] == (MEM, RSP, NONE) and insn.ops[0][4] < 0 and \
            insn.ops[1][:2] == (IMM, 0):
        fx.kill(FLAG_KEYS)      # this is a barrier, which changes nothing there
        return

    def combine(old, value):
        if insn.name == "adc":
            value = fx.arith.add(value, NUMBER, fx.site.place)
        return fx.arith.add(old, value, fx.site.place)
    _two(fx, insn, combine)


def do_sub(fx, insn):
    """sub, sbb; with the same register twice the result is zero, or the carry"""
    target, source = insn.ops
    if target == source and target[0] == REG:
        if insn.name == "sbb":
            fx.flows(READ_KEYS[8][target[1]], FLAG_KEYS)
        fx.set_flags()
        fx.set_reg(target[1], ZERO if insn.name == "sub" else NUMBER, target[2])
        return

    def combine(old, value):
        if insn.name == "sbb":
            value = fx.arith.add(value, NUMBER, fx.site.place)
        return fx.arith.sub(old, value, fx.site.place)
    _two(fx, insn, combine)


def do_and(fx, insn):
    """and; with the stack pointer it begins a frame that is aligned by hand"""
    target, source = insn.ops
    if target[:2] == (REG, RSP) and source[0] == IMM and source[1] < 0 and target[2] == 8:
        fx.set_sp(stk(fx.flow.aligned(fx.site.place)))
        fx.set_flags()
        return
    if target == source:
        fx.set_flags(fx.get(target)[1])
        return

    def combine(old, value):
        if old.kind == NUM and old.const is not None:
            old, value = value, old
        return fx.arith.masked(old, value, fx.site.place)
    _two(fx, insn, combine)


def do_or(fx, insn):
    """or, xor"""
    target, source = insn.ops
    if target == source and target[0] == REG:
        if insn.name == "xor":
            fx.set_flags()
            fx.set_reg(target[1], ZERO, target[2])
        else:
            fx.set_flags(fx.get(target)[1])
        return

    if insn.name == "or" and source[0] == IMM and \
            source[1] in (-1, (1 << 8 * source[2]) - 1) and fx.site.imm is None:
        fx.set_flags()
        if target[0] == REG:
            fx.set_reg(target[1], num(-1), target[2])
        else:
            fx.store(target, target[6], num(-1))
        return

    def combine(old, value):
        if insn.name == "xor" and value.const == -1:
            return fx.arith.sub(num(-1), old, fx.site.place)
        return fx.arith.merged(old, value, fx.site.place, insn.name == "or")
    _two(fx, insn, combine)


def _one(fx, insn, combine, feeds=False):
    target = insn.ops[0]
    size = target[2] if target[0] == REG else target[6]
    old, keys = fx.get(target, size)
    if is_partly_undefined(old) and insn.name in ("shl", "sal", "inc", "dec", "neg", "not"):
        result = old        # the low bytes of the result depend only on low bytes
    else:
        fx.read_undefined(old)
        result = combine(old)
    if size < 8:
        result = fx.arith.lower(result, size)
    fx.set_flags(keys)
    if target[0] == REG:
        note = fx.feeds if feeds else fx.flows
        note(READ_KEYS[8 if size == 4 else size][target[1]], keys)
        fx.set_reg(target[1], result, size)
    else:
        fx.store(target, size, result, keys)


def do_inc(fx, insn):
    """inc, dec"""
    step = num(1 if insn.name == "inc" else -1)
    _one(fx, insn, lambda old: fx.arith.add(old, step, fx.site.place))


def do_neg(fx, insn):
    """neg, not"""
    start = ZERO if insn.name == "neg" else num(-1)
    _one(fx, insn, lambda old: fx.arith.sub(start, old, fx.site.place))


def do_shift(fx, insn):
    """shl, sal, shr, sar; by one if there is no second operand"""
    ops = insn.ops
    count = ops[1] if len(ops) > 1 else (IMM, 1, 1)
    if count[0] == REG:
        fx.use(READ_KEYS[1][RCX])
        fx.read_undefined(fx.reg(RCX, 1))

    def combine(old):
        if count[0] != IMM:
            if old.kind == ANY:
                return fx.arith.unknown("shifted", fx.site.place)
            return NUMBER if old.kind == NUM else fx.arith.mixed(SHIFTED, old)
        bits = count[1] & 63
        if not bits:
            return old
        if insn.name in ("shl", "sal"):
            return fx.arith.scaled(old, 1 << bits)
        return fx.arith.shifted_right(old, bits)
    _one(fx, insn, combine, True)


def do_imul(fx, insn):
    """imul, mul, div, idiv"""
    ops = insn.ops
    if insn.name == "imul" and len(ops) > 1:
        value, keys = fx.get(ops[1])
        other, other_keys = fx.get(ops[2] if len(ops) > 2 else ops[0])
        fx.read_undefined(value)
        fx.read_undefined(other)
        if fx.log is not None:
            for source in (keys, other_keys):
                fx.feeds(READ_KEYS[8][ops[0][1]], source)
            fx.set_flags(keys, other_keys)
        if other.kind == NUM and other.const is not None:
            result = fx.arith.scaled(value, other.const)
        else:
            result = fx.arith.mixed(SHIFTED, value, other)
            if result is NUMBER:
                signs = {value.sign, other.sign}
                result = num(None, max(signs | {PLUS}))
        fx.set_reg(ops[0][1], result, ops[0][2])
        return
    value, keys = fx.get(ops[0])
    size = ops[0][2] if ops[0][0] == REG else ops[0][6]
    fx.read_undefined(value)
    involved = [value, fx.reg(RAX, size)]
    fx.use(keys)
    fx.use(READ_KEYS[size][RAX])
    if insn.name in ("div", "idiv") and size > 1:
        involved.append(fx.reg(RDX, size))
        fx.use(READ_KEYS[size][RDX])
    result = fx.arith.mixed(SHIFTED, *involved)
    fx.set_reg(RAX, result, max(size, 2))
    if size > 1:
        fx.set_reg(RDX, result, size)
    fx.set_flags()


def do_xadd(fx, insn):
    """xadd"""
    target, source = insn.ops
    value, keys = fx.get(source)
    old, old_keys = fx.get(target)
    size = source[2]
    fx.set_flags(keys, old_keys)
    fx.put(target, fx.arith.lower(fx.arith.add(old, value, fx.site.place), size),
           keys + old_keys)
    fx.put(source, old, old_keys)


def do_cmpxchg(fx, insn):
    """cmpxchg, cmpxchg8b, cmpxchg16b"""
    if insn.name != "cmpxchg":
        address = fx.address(insn.ops[0])
        for number in (RAX, RBX, RCX, RDX):
            fx.use(READ_KEYS[8][number])
        for at in (0, 8):
            if address.slot is not None:
                fx.store_slot(address.slot + at, 8, PLAIN)
            else:
                fx.store_at(address, 8, fx.arith.join(fx.reg(RBX), fx.reg(RCX), fx.site.place))
        for number in (RAX, RDX):
            fx.set_reg(number, fx.arith.unknown("cmpxchg", fx.site.place, number))
        fx.kill(FLAG_KEYS)
        return
    target, source = insn.ops
    value, keys = fx.get(source)
    old, old_keys = fx.get(target)
    size = source[2]
    fx.read_undefined(value)
    compared = fx.reg(RAX, size)
    rax = READ_KEYS[size][RAX]
    fx.set_flags(rax, old_keys)
    fx.use(rax)
    fx.use(keys)
    fx.put(target, fx.arith.join(old, value, fx.site.place), keys + old_keys)
    fx.set_reg(RAX, fx.arith.join(compared, old, (fx.site.place, RAX)), size)


def do_string(fx, insn):
    """movs, stos, lods, scas, cmps, ins, outs, with or without a repeat"""
    name = insn.name
    state = fx.state
    size = next((op[6] for op in insn.ops if op[0] == MEM), 8)
    if insn.rep:
        fx.use(READ_KEYS[8][RCX])
        fx.read_undefined(fx.reg(RCX))
    if name in ("stos", "scas", "outs"):
        fx.use(READ_KEYS[8][RAX])
    if name in ("ins", "outs"):
        fx.use(READ_KEYS[2][RDX])
    if name in ("stos", "movs", "ins"):
        value = fx.reg(RAX, size) if name == "stos" else fx.arith.unknown("string", fx.site.place)
        if fx.log is not None:
            fx.flow.escapes(fx.site, value, size)
            if name == "movs" and (size >= 4 or insn.rep):
                fx.flow.copied.append((fx.site, fx.reg(RDI), fx.reg(RSI), None))
            elif name == "stos" and size == 8 and value.kind != NUM:
                fx.flow.kept.append((fx.site, value))
                fx.flow.scattered.append((fx.site, (fx.reg(RDI),)))
        fx.clobber()
    for number in {"movs": (RSI, RDI), "cmps": (RSI, RDI), "lods": (RSI,), "outs": (RSI,),
                   "stos": (RDI,), "scas": (RDI,), "ins": (RDI,)}[name]:
        old = fx.reg(number)
        fx.read_undefined(old)
        fx.use(READ_KEYS[8][number])
        if fx.log is not None:
            fx.evidence.add(origin(old))
        state.regs[number] = fx.arith.add(old, NUMBER, fx.site.place)
        fx.kill(KILL_KEYS[8][number])
    if name == "lods":
        fx.set_reg(RAX, NUMBER if size < 8 else fx.arith.unknown("string", fx.site.place), size)
    if insn.rep:
        state.regs[RCX] = NUMBER
        fx.kill(KILL_KEYS[8][RCX])
    if name in ("scas", "cmps"):
        fx.kill(FLAG_KEYS)


def do_vector_move(fx, insn):
    """Moves of whole words in and out of vector registers"""
    target, source = insn.ops
    vectors = fx.state.vectors
    if target[0] == VEC:
        words = max(target[2] // 8, 1)
        if source[0] == VEC:
            lanes = _lanes(fx, source)
        elif source[0] == MEM:
            lanes = fx.load_wide(source, source[6])
        else:
            value, keys = fx.get(source)
            fx.use(keys)
            fx.take(value)
            lanes = (value if source[2] == 8 else fx.arith.lower(value, source[2]),)
        if insn.name.endswith(("movq", "movd")):
            lanes = lanes[:1]
        vectors[target[1]] = make(LANES, other=(lanes + (ZERO,) * words)[:words])
        return
    lanes = _lanes(fx, source)
    if target[0] == MEM and target[6] >= 8:
        fx.store_wide(target, lanes[:target[6] // 8])
    elif target[0] == MEM:
        fx.store(target, target[6], fx.arith.lower(lanes[0], target[6]))
    else:
        fx.set_reg(target[1], lanes[0], target[2])


def _lanes(fx, op):
    value = fx.state.vectors.get(op[1])
    if value is None:
        return (fx.arith.unknown("vector", fx.site.place),) * max(op[2] // 8, 1)
    if value.kind == UNDEF:
        if fx.log is not None:
            fx.refuse("vector", "reads a vector register that a call may have changed")
        return (PLAIN,) * max(op[2] // 8, 1)
    return value.other if value.kind == LANES else (value,) * max(op[2] // 8, 1)


def do_vector_halves(fx, insn):
    """Replaces one half of a vector register, or stores it"""
    target, source = insn.ops[0], insn.ops[-1]
    high = insn.name.lstrip("v") in ("movhps", "movhpd", "punpcklqdq", "unpcklpd", "movlhps")
    if target[0] == MEM:
        fx.store(target, 8, _lanes(fx, source)[1 if high else 0])
        return
    if target[2] != 16 or len(insn.ops) > 3:
        fx.generic(insn)
        return
    old = _lanes(fx, insn.ops[-2]) if len(insn.ops) == 3 else _lanes(fx, target)
    new = fx.load_wide(source, 8)[0] if source[0] == MEM else _lanes(fx, source)[0]
    fx.state.vectors[target[1]] = make(LANES, other=(old[0], new) if high else (new, old[1]))


def do_vector_xor(fx, insn):
    """xor of vectors; with the same vector twice the result is zero"""
    if insn.ops[-1] == insn.ops[-2] and insn.ops[0][0] == VEC:
        fx.state.vectors[insn.ops[0][1]] = make(LANES, other=(ZERO,) * max(insn.ops[0][2] // 8, 1))
    else:
        fx.generic(insn)


def do_compare(fx, insn):
    """cmp"""
    (one, keys), (two, other_keys) = (fx.get(op) for op in insn.ops)
    fx.read_undefined(one)
    fx.read_undefined(two)
    fx.use(keys, PLAINLY | (COMPARED if two.kind != NUM else 0))
    fx.use(other_keys, PLAINLY | (COMPARED if one.kind != NUM else 0))
    fx.kill(FLAG_KEYS)


HANDLERS = {"cmp": do_compare, "lea": do_lea, "push": do_push, "pushfq": do_push, "pushf": do_push, "pop": do_pop,
            "popfq": do_pop, "popf": do_pop, "leave": do_leave, "enter": do_enter,
            "xchg": do_exchange, "cmov": do_cmov, "set": do_set, "add": do_add, "adc": do_add,
            "sub": do_sub, "sbb": do_sub, "and": do_and, "or": do_or, "xor": do_or,
            "inc": do_inc, "dec": do_inc, "neg": do_neg, "not": do_neg, "xadd": do_xadd,
            "cmpxchg": do_cmpxchg, "cmpxchg8b": do_cmpxchg, "cmpxchg16b": do_cmpxchg}
HANDLERS.update(dict.fromkeys(("mov", "movabs", "movnti"), do_mov))
HANDLERS.update(dict.fromkeys(("movzx", "movsx", "movsxd"), do_movx))
HANDLERS.update(dict.fromkeys(("cdqe", "cwde", "cbw", "cqo", "cdq", "cwd"), do_extend))
HANDLERS.update(dict.fromkeys(("shl", "sal", "shr", "sar"), do_shift))
HANDLERS.update(dict.fromkeys(("imul", "mul", "div", "idiv"), do_imul))
HANDLERS.update(dict.fromkeys(STRINGS.values(), do_string))
HANDLERS.update(dict.fromkeys(
    (prefix + name for prefix in ("", "v") for name in
     ("movdqa", "movdqu", "movaps", "movups", "movapd", "movupd", "movq", "movd", "lddqu",
      "movntdq", "movntps", "movntpd")), do_vector_move))
HANDLERS.update(dict.fromkeys(
    (prefix + name for prefix in ("", "v") for name in
     ("movhps", "movhpd", "movlps", "movlpd", "punpcklqdq", "unpcklpd", "movlhps")),
    do_vector_halves))
HANDLERS.update(dict.fromkeys(("xorps", "xorpd", "pxor", "vxorps", "vxorpd", "vpxor"),
                              do_vector_xor))
