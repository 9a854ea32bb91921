# SPDX-License-Identifier: GPL-2.0
"""Statements that a move breaks, so that they must not be in movable text.

The generator uses them only if an option asks for them. The checker must refuse those
that it can see.
"""

from idioms import idiom, walk_body


@idiom(12, "vla")
def variable_length(g):
    """An array whose length is known only at run time."""
    with g.block(""):
        ctype, n, v, i = g.pick("u16", "u32", "u64"), g.fresh("n"), g.fresh("vla"), g.fresh("i")
        g.pay(3)
        g.emit(f"u32 {n} = 3 + num(12);")
        g.emit(f"{ctype} {v}[{n}];")
        g.emit(f"u32 {i};")
        g.emit("")
        g.emit(f"memset({v}, 0, sizeof({v}));")
        for _ in range(g.number(1, 3)):
            with g.block(f"for ({i} = 0; {i} < {n}; {i}++)", times=10):
                element = g.pick(f"{v}[{i}]", f"{v}[{n} - 1 - {i}]")
                if g.chance(40):
                    g.emit(f"{element} += {g.expr(32)};")
                else:
                    walk_body(g, element, i)
        g.hop()
        g.emit(f"{v}[0] ^= {g.source()};")
        g.emit(f"eat(peek({v}, sizeof({v})) + {v}[0]);")


@idiom(6, "vla")
def allocated(g):
    """Memory in the frame whose size is known only at run time."""
    with g.block(""):
        n, p, i = g.fresh("n"), g.fresh("p"), g.fresh("i")
        g.pay(1)
        g.emit(f"u32 {n} = 3 + num(12);")
        g.emit(f"u32 *{p} = __builtin_alloca({n} * sizeof(u32));")
        g.emit(f"u32 {i};")
        g.emit("")
        g.emit(f"memset({p}, 0, {n} * sizeof(u32));")
        with g.block(f"for ({i} = 0; {i} < {n}; {i}++)", times=10):
            walk_body(g, f"{p}[{i}]")


@idiom(8, "disguise")
def disguised(g):
    """An address in disguise: code with MODULE_COSTACK_MOVABLE() promises to keep none."""
    with g.block(""):
        var = g.array("u32")
        key, word = g.fresh("key"), g.fresh("word")
        g.pay(1)
        g.emit(f"u64 {key} = num64();")
        how, back = g.pick(
            (f"(u64){var.name} ^ {key}", f"({word} ^ {key})"),
            (f"-(u64){var.name}", f"-{word}"),
            (f"~(u64){var.name}", f"~{word}"),
            (f"(u64){var.name} - {key}", f"({word} + {key})"),
            (f"{key} - (u64){var.name}", f"({key} - {word})"),
            (f"(u64){var.name} << 8 | 1", f"({word} >> 8)"),
            (f"(u64){var.name} >> 2", f"({word} << 2)"),
            (f"(u64){var.name} + 0x100000000", f"({word} - 0x100000000)"),
            (f"__builtin_bswap64((u64){var.name})", f"__builtin_bswap64({word})"))
        g.emit(f"u64 {word} = {how};")
        g.emit("")
        g.emit(f"OPTIMIZER_HIDE_VAR({word});")
        g.hop()
        g.emit(f"*(u32 *){back} += {g.expr(32, 1)};")
        g.emit(f"eat({var.name}[0]);")
        g.pay(1)
