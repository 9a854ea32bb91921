# SPDX-License-Identifier: GPL-2.0
"""Makers of functions that generated functions may call, for what needs more than a statement.

Each maker gets the generator (gen.py), emits one or more functions, and adds those that
may be called to the generator's list.
"""

ALL = []


class Function:
    """A complete function, as its callers see it."""

    def __init__(self, name, params, returns, cost):
        self.name, self.params, self.returns, self.cost = name, params, returns, cost


def helper(percent):
    """Registers a maker of functions, and the probability that a program gets them."""
    def register(function):
        function.percent = percent
        ALL.append(function)
        return function
    return register


@helper(50)
def make_callback(g):
    """A function for the idiom callback(), and a sort."""
    name = f"{g.prefix}callback"
    g.emit(f"static noinline u32 {name}(u32 *at, u32 n)")
    with g.block(""):
        g.emit("u32 was = *at;")
        g.emit("")
        g.hop()
        g.emit(f"return was * {g.constant(16)} + n;")
    g.emit("")
    g.functions.append(Function(name, [], "callback", g.cost))
    name = f"{g.prefix}sort"
    g.emit(f"static noinline u32 {name}(u32 *words, u32 nr)")
    with g.block(""):
        g.emit("u32 i, j, key;")
        g.emit("")
        g.emit("nr %= 9;")
        with g.block("for (i = 1; i < nr; i++)"):
            g.emit("key = words[i];")
            with g.block("for (j = i; j > 0 && words[j - 1] > key; j--)"):
                g.emit("hop();")
                g.emit("words[j] = words[j - 1];")
            g.emit("words[j] = key;")
        g.emit("return nr ? words[nr / 2] : 0;")
    g.emit("")
    g.functions.append(Function(name, [("u32", 8), ("u32", 0)], "u32", 30))


@helper(40)
def make_record(g):
    """Functions that take a structure by value, and return one."""
    struct = g.rng.choice(g.structs)
    name = f"{g.prefix}by_value"
    kind = f"struct {struct.name}"
    g.emit(f"static noinline {kind} {name}({kind} s, {kind} *out, u32 n)")
    with g.block(""):
        g.emit(f"{kind} mine = s;")
        g.emit("")
        g.hop()
        for _, field, length in struct.fields:
            dot = f"{field}[n % {length}]" if length else field
            g.emit(f"s.{dot} += {g.pick('n', 'num32()', 'num16()')};")
            g.emit(f"out->{dot} ^= s.{dot};")
        g.pay(len(struct.fields))
        g.hop()
        g.emit("return n & 1 ? mine : s;")
    g.emit("")
    outer = f"{g.prefix}structs"
    g.emit(f"static noinline u32 {outer}(u32 n, u32 *words)")
    with g.block(""):
        g.emit(f"{kind} a = {{ }}, b = {{ }}, c;")
        g.emit("u32 sum = words[0];")
        g.emit("")
        g.emit("poke(&a, sizeof(a));")
        g.emit(f"c = {name}(a, &b, n);")
        g.emit(f"a = {name}(c, &a, n + 1);")
        for _, field, length in struct.fields:
            at = f"{field}[{length - 1}]" if length else field
            g.emit(f"sum = sum * 3 + a.{at} + b.{at} + c.{at};")
        g.emit("return sum + words[1];")
    g.emit("")
    g.functions.append(Function(outer, [("u32", 0), ("u32", 2)], "u32", 2 * g.cost + 4))


@helper(40)
def make_varargs(g):
    """A function with a variable number of arguments, and one that calls it."""
    name = f"{g.prefix}list"
    g.emit(f"static noinline u64 {name}(u32 *first, u32 nr, ...)")
    with g.block(""):
        g.emit("u64 sum = *first;")
        g.emit("va_list list;")
        g.emit("")
        g.emit("va_start(list, nr);")
        with g.block("while (nr--)"):
            g.emit(g.pick("sum = sum * 5 + va_arg(list, u32);",
                          "sum = sum * 5 + va_arg(list, u64);"))
            g.emit("hop();")
            g.emit("if (nr & 1)")
            g.emit("\tsum ^= *va_arg(list, u32 *);")
        g.emit("va_end(list);")
        g.emit("return sum;")
    wide = "va_arg(list, u64)" in "\n".join(g.lines[-12:])
    g.emit("")
    outer = f"{g.prefix}varargs"
    g.emit(f"static noinline u32 {outer}(u32 *words, u32 n)")
    with g.block(""):
        g.emit("u32 a = n, b[3] = { n, num32() };")
        g.emit("")
        nr = g.number(2, 7)
        args = []
        for k in range(nr, 0, -1):
            args.append(f"(u64)n * {k}" if wide else f"n * {k}")
            if (k - 1) & 1:
                args.append(g.pick("&a", "words", "&words[1]", "b", "&b[1]"))
        g.emit(f"a ^= {name}(&a, {nr}, {', '.join(args)});")
        g.emit("return a + b[0] + b[1];")
    g.emit("")
    g.functions.append(Function(outer, [("u32", 2), ("u32", 0)], "u32", nr + 2))


@helper(45)
def make_recursion(g):
    """A recursion whose frames are linked to a list by their addresses."""
    struct = f"{g.prefix}link"
    g.lines += [f"struct {struct} {{", f"\tstruct {struct} *up, **back;", "\tu32 value;",
                f"\tu{g.pick(8, 16, 32)} more[{g.number(1, 9)}];", "};", ""]
    name, depth = f"{g.prefix}deeper", g.pick(3, 6, 12, 20)
    g.emit(f"static noinline u32 {name}(struct {struct} *up, u32 depth, u32 n)")
    with g.block(""):
        g.emit(f"struct {struct} here = {{ .up = up, .value = n }};")
        g.emit(f"struct {struct} *at;")
        big = g.number(0, 400) if g.chance(25) else 0
        if big:
            g.emit(f"u8 pad[{big + 1}] = {{ n }};")
        g.emit("u32 sum = 0;")
        g.emit("")
        g.emit("here.back = up ? &up->up : &here.up;")
        g.emit("here.more[0] = num16();")
        g.emit("if (depth)")
        g.emit(f"\tsum = {name}(&here, depth - 1, n {g.pick('+ 1', '* 3', '^ depth')});")
        g.emit(f"for (at = &here; at; at = at->up)")
        g.emit("\tsum = sum * 7 + at->value++ + at->more[0];")
        if big:
            g.emit(f"sum += pad[n % {big + 1}];")
        g.hop()
        g.emit("if (!up)")
        g.emit("\t*here.back = NULL;")
        g.emit("return sum + (here.up == up);")
    g.emit("")
    outer = f"{g.prefix}list_of_frames"
    g.emit(f"static noinline u32 {outer}(u32 n)")
    with g.block(""):
        g.emit(f"return {name}(NULL, {depth}, n) + n;")
    g.emit("")
    g.functions.append(Function(outer, [("u32", 0)], "u32", 2 * (depth + 1) + 1))
