# SPDX-License-Identifier: GPL-2.0
"""The statements of generated functions: the loops, structures and calls of kernel code.

Each idiom gets the generator (gen.py) and emits a statement. Many of the statements keep
an index, or the address of a local variable, across a hook, where a move may break them.
"""

ALL = {}


def idiom(weight=10, option=None, calls=True):
    """Registers an emitter of statements, with its weight and the option that it needs."""
    def register(function):
        function.weight, function.option, function.calls = weight, option, calls
        ALL[function.__name__.strip("_")] = function
        return function
    return register


# --- Plain statements ---------------------------------------------------------

@idiom(20, calls=False)
def assign(g):
    """Changes a variable or an element."""
    scalars, arrays = g.visible(False), g.visible(True)
    operator = g.pick("=", "+=", "-=", "^=", "|=", "*=")
    if arrays and (not scalars or g.chance(50)):
        var = g.rng.choice(arrays)
        index = g.index(var)
        value = g.expr(64 if var.ctype == "u64" else 32)
        g.emit(f"{var.name}[{index}] {operator} {value};")
    elif scalars:
        var = g.rng.choice(scalars)
        # The kernel's flags define signed overflow, but other tools use other flags.
        operator = "=" if var.ctype.startswith("s") else operator
        if operator == "=" and g.chance(50):
            g.emit(f"{var.name} = {g.source()};")
        else:
            g.emit(f"{var.name} {operator} {g.expr(64 if var.ctype.endswith('64') else 32)};")
    else:
        g.emit(f"eat({g.expr(32)});")


@idiom(12)
def hop(g):
    """The stack may move."""
    g.hop()


@idiom(12)
def branch(g):
    """An if, with or without an else."""
    with g.block(f"if ({g.condition()})", "} else {" if g.chance(50) else "}"):
        g.statements(1, 2)
    if g.lines[-1].endswith("else {"):
        g.depth += 1
        g.scopes.append([])
        g.statements(1, 2)
        g.scopes.pop()
        g.depth -= 1
        g.emit("}")


@idiom(6)
def switch(g):
    """A switch, in which some cases fall through."""
    cases = g.number(3, 6)
    with g.block(f"switch ({g.expr(32, 1)} % {cases + 1})"):
        for case in range(cases):
            g.emit(f"case {case}:")
            g.depth += 1
            g.statements(1, 1)
            g.emit("break;" if g.chance(80) else "__attribute__((__fallthrough__));")
            g.depth -= 1
        g.emit("default:")
        g.emit("\tbreak;")


@idiom(4)
def jump(g):
    """A loop with goto, which may leave early."""
    count, label = g.fresh("n"), g.fresh("again")
    rounds = g.number(2, 5)
    with g.block("", times=rounds):
        g.emit(f"u32 {count} = {rounds};")
        g.emit("")
        g.emit(f"{label}:")
        g.statements(1, 2)
        g.hop()
        g.emit(f"if (--{count})")
        g.emit(f"\tgoto {label};")


@idiom(10)
def crowd(g):
    """More values that live across calls than there are registers."""
    with g.block(""):
        mine = [g.scalar() for _ in range(g.number(6, 16))]
        g.emit("")
        g.hop()
        g.statements(0, 2)
        for var in mine:
            if g.affords(1):
                g.pay(1)
                g.emit(f"eat({var.name} {g.pick('+', '^')} (u64)num(7));")
        g.hop()
        for var in mine:
            g.emit(f"eat({var.name});")


@idiom(6)
def halves(g):
    """Small numbers that are kept where addresses were, and addresses where numbers were."""
    with g.block(""):
        rounds = g.number(1, 3)
        var = g.an_array("u32")
        g.emit("")
        for _ in range(rounds):
            with g.block(""):
                names = [g.fresh("p") for _ in range(g.number(5, 12))]
                for name in names:
                    g.emit(f"u32 *{name} = same(&{var.name}[{g.index(var)}]);")
                g.pay(len(names))
                g.emit("")
                g.hop()
                for name in names:
                    g.emit(f"eat(*{name});")
            with g.block(""):
                mine = [g.scalar(g.pick("u32", "u32", "u16", "u8", "s32"))
                        for _ in range(g.number(5, 12))]
                g.emit("")
                g.hop()
                for one in mine:
                    g.emit(f"eat({one.name});")


@idiom(8)
def scopes(g):
    """Variables whose address is taken, and which never live at the same time."""
    with g.block(""):
        for _ in range(g.number(2, 4)):
            with g.block(""):
                if g.chance(50):
                    var = g.an_array()
                    name, many = g.fresh("p"), g.number(1, 4)
                    g.emit(f"{var.ctype} *{name}[{many}] = {{ &{var.name}[{g.index(var)}] }};")
                    g.emit("")
                    if many > 1:
                        g.emit(f"{name}[{many - 1}] = same({name}[0]);")
                    g.hop()
                    g.emit(f"eat(*{name}[0]);")
                    if many > 1:
                        g.emit(f"eat(*{name}[{many - 1}]);")
                else:
                    one = g.scalar(g.pick("u8", "u16", "u32"))
                    g.emit("")
                    g.emit(f"poke(&{one.name}, sizeof({one.name}));")
                    g.hop()
                    g.statements(0, 1)
                    g.emit(f"eat({one.name});")
                g.pay(3)


# --- Loops over arrays ----------------------------------------------------------

def walk_body(g, element, at=None):
    """Emits the body of a loop over elements. The stack may move in it."""
    operator = g.pick("+=", "^=", "-=", "=")
    if at and g.chance(60) and g.affords(1):
        g.pay(1)
        g.emit(g.pick(f"{element} {operator} look({at});", f"{element} {operator} look({at});",
                      f"eat({at} + {element}++);"))
    elif g.chance(70):
        g.emit(f"{element} {operator} {g.source()};")
    else:
        g.hop()
        g.emit(f"{element} {operator} {g.expr(32)};")
    if g.chance(25):
        g.statement()
    if g.chance(30) and g.affords(1):
        g.pay(1)
        g.emit(f"eat({element});")


def turns(g, most):
    """Returns how often a loop runs: a constant, or a number that the compiler cannot know."""
    if g.chance(50):
        return str(most)
    nr = g.fresh("nr")
    g.pay(1)
    g.emit(f"u64 {nr} = {most} - num(2);")
    return nr


def own_array(g):
    """Returns an array for a loop, usually one on the stack."""
    return g.heap_array() if g.chance(10) else g.an_array(None, 3)


@idiom(12)
def biased(g):
    """An index that does not begin with 0, as with page frame and block numbers."""
    with g.block(""):
        var = own_array(g)
        ctype = g.pick("u64", "u64", "u32", "s64")
        first, at = g.fresh("first"), g.fresh("at")
        origin = g.pick("num(1 << 30)", "num(1 << 20)", "num(5000)", "(num64() >> 30)")
        g.pay(1)
        g.emit(f"{ctype} {first} = {origin}, {at};")
        nr = turns(g, var.length)
        g.emit("")
        step = g.pick(1, 1, 1, 2, 3)
        head = f"for ({at} = {first}; {at} < {first} + {nr}; {at} += {step})"
        with g.block(head, times=var.length // step + 1):
            walk_body(g, f"{var.name}[{at} - {first}]", at)


@idiom(6)
def pages(g):
    """An array that is indexed by the page of an address."""
    with g.block(""):
        var = own_array(g)
        shift = g.pick(12, 12, 9, 6)
        base, at = g.fresh("base"), g.fresh("addr")
        g.pay(1)
        g.emit(f"u64 {base} = (num64() & ~(1UL << 63)) >> {shift} << {shift};")
        g.emit(f"u64 {at};")
        nr = turns(g, var.length)
        g.emit("")
        head = (f"for ({at} = {base}; {at} < {base} + ((u64){nr} << {shift}); "
                f"{at} += 1UL << {shift})")
        index = g.pick(f"({at} - {base}) >> {shift}", f"({at} >> {shift}) - ({base} >> {shift})")
        with g.block(head, times=var.length):
            walk_body(g, f"{var.name}[{index}]", at)


@idiom(8)
def backwards(g):
    """A loop from the last element to the first."""
    with g.block(""):
        var = own_array(g)
        ctype = g.pick("u32", "s32", "u64", "s64", "u16", "u8")
        i = g.fresh("i")
        g.emit(f"{ctype} {i};")
        nr = turns(g, var.length)
        g.emit("")
        with g.block(f"for ({i} = {nr}; {i}-- > 0;)", times=var.length):
            walk_body(g, f"{var.name}[{i}]", i)


@idiom(8)
def mirrored(g):
    """A loop that walks up one array and down another, or up and down the same array."""
    with g.block(""):
        var = own_array(g)
        other = g.an_array(var.ctype, 3)
        nr = min(var.length, other.length)
        i, last = g.fresh("i"), g.fresh("last")
        g.emit(f"u64 {last} = {nr - 1} - num(2);")
        g.emit(f"u64 {i};")
        g.pay(1)
        g.emit("")
        with g.block(f"for ({i} = 0; {i} <= {last}; {i}++)", times=nr):
            g.emit(f"{var.name}[{i}] ^= {other.name}[{last} - {i}];")
            walk_body(g, f"{other.name}[{g.pick(i, f'{last} - {i}')}]", g.pick(i, last))


@idiom(8)
def to_end(g):
    """A pointer that runs to an end address, up or down."""
    with g.block(""):
        var = own_array(g)
        p, end = g.fresh("p"), g.fresh("end")
        if g.chance(60):
            g.emit(f"{var.ctype} *{p} = {var.name}, *{end} = {var.name} + {var.length};")
            g.emit("")
            with g.block(f"for (; {p} {g.pick('<', '!=')} {end}; {p}++)", times=var.length):
                walk_body(g, f"*{p}")
                if g.chance(30):
                    g.emit(f"eat({end} - {p});")
                    g.pay(1)
        else:
            g.emit(f"{var.ctype} *{p} = {var.name} + {var.length};")
            g.emit("")
            with g.block(f"while ({p} > {var.name})", times=var.length):
                g.emit(f"{p}--;")
                walk_body(g, f"*{p}")


@idiom(10)
def together(g):
    """A loop over two or three arrays, with one index or with a pointer into each."""
    with g.block(""):
        many = [own_array(g) for _ in range(g.number(2, 3))]
        if g.chance(40):
            many[-1] = g.heap_array()
        nr = min(v.length for v in many)
        if g.chance(50):
            i = g.fresh("i")
            g.emit(f"{g.pick('u32', 's32', 'u64', 'u16')} {i};")
            limit = turns(g, nr)
            g.emit("")
            with g.block(f"for ({i} = 0; {i} < {limit}; {i}++)", times=nr):
                g.emit(f"{many[0].name}[{i}] += {many[-1].name}[{i}];")
                walk_body(g, f"{many[1].name}[{i}]", i)
        else:
            ps = [(g.fresh("p"), v) for v in many]
            n = g.fresh("n")
            for p, v in ps:
                g.emit(f"{v.ctype} *{p} = {v.name};")
            g.emit(f"u32 {n} = {nr};")
            g.emit("")
            with g.block(f"while ({n}--)", times=nr):
                walk_body(g, f"*{ps[0][0]}")
                g.emit(f"*{ps[-1][0]} ^= *{ps[0][0]};")
                for p, _ in ps:
                    g.emit(f"{p}++;")


@idiom(6)
def strided(g):
    """An index that is a multiple of the loop's variable, or a sum."""
    with g.block(""):
        var = own_array(g)
        step = g.number(2, 4)
        rounds = (var.length + step - 1) // step
        i, by = g.fresh("i"), g.fresh("by")
        g.emit(f"u32 {by} = {step} - num(2);")
        g.emit(f"u64 {i};")
        g.pay(1)
        g.emit("")
        with g.block(f"for ({i} = 0; {i} < {rounds}; {i}++)", times=rounds):
            walk_body(g, g.pick(f"{var.name}[{i} * {by}]", f"{var.name}[{i} * {step}]",
                                f"{var.name}[{rounds - 1} * {by} - {i} * {by}]",
                                f"{var.name}[({by} + {i}) % {var.length}]"), i)


@idiom(6)
def matrix(g):
    """An array of arrays, by rows or by columns."""
    with g.block(""):
        ctype, rows, columns = g.pick("u16", "u32", "u64"), g.number(2, 5), g.number(2, 6)
        m, i, j = g.fresh("m"), g.fresh("i"), g.fresh("j")
        g.emit(f"{ctype} {m}[{rows}][{columns}] = {{ {{ {g.constant(8)} }} }};")
        g.emit(f"u32 {i}, {j};")
        g.emit("")
        inner = [(i, rows), (j, columns)]
        g.rng.shuffle(inner)
        (a, na), (b, nb) = inner
        with g.block(f"for ({a} = 0; {a} < {na}; {a}++)", times=na):
            with g.block(f"for ({b} = 0; {b} < {nb}; {b}++)", times=nb):
                walk_body(g, g.pick(f"{m}[{i}][{j}]", f"{m}[{rows - 1} - {i}][{j}]",
                                    f"{m}[{i}][{columns - 1} - {j}]"), g.pick(i, j))
        g.emit(f"eat(peek({m}, sizeof({m})));")
        g.pay(2)


@idiom(6)
def distance(g):
    """A pointer into one array, and the element of another at the same index."""
    with g.block(""):
        var = g.an_array(None, 3)
        other = g.an_array(var.ctype, 3)
        nr = min(var.length, other.length)
        p, q, n = g.fresh("p"), g.fresh("q"), g.fresh("n")
        g.emit(f"{var.ctype} *{p} = &{var.name}[{g.expr(32, 1)} % {nr}];")
        g.emit(f"u64 {n} = {p} - {var.name};")
        g.emit(f"{var.ctype} *{q} = {other.name} + {n};")
        g.emit("")
        g.hop()
        g.emit(f"*{q} += *{p};")
        g.statements(0, 1)
        g.emit(f"eat({q} - {other.name} + {p}[-(long){n}]);")
        g.pay(1)


@idiom(5)
def past_end(g):
    """A pointer one past the end, and negative indices from it."""
    with g.block(""):
        var = g.array()
        end, i = g.fresh("end"), g.fresh("i")
        g.emit(f"{var.ctype} *{end} = {g.pick('', 'same')}({var.name} + {var.length});")
        g.emit(f"{g.pick('u32', 'u64')} {i};")
        g.emit("")
        g.pay(1)
        with g.block(f"for ({i} = 1; {i} <= {var.length}; {i}++)", times=var.length):
            walk_body(g, f"{end}[-(long){i}]", i)
        g.emit(f"eat({end} - {var.name});")


# --- Pointers -------------------------------------------------------------------

@idiom(7)
def pointers(g):
    """Pointers to pointers, tables of pointers, a pointer to one of two."""
    with g.block(""):
        var, other = g.an_array("u32"), g.an_array("u32")
        p, pp, table = g.fresh("p"), g.fresh("pp"), g.fresh("t")
        g.emit(f"u32 *{p} = {g.condition()} ? &{var.name}[{g.index(var)}] : {other.name};")
        g.emit(f"u32 **{pp} = &{p};")
        g.emit(f"u32 *{table}[3] = {{ {p}, {other.name}, &{var.name}[{var.length - 1}] }};")
        g.emit("")
        g.hop()
        g.emit(f"**{pp} += {g.expr(32)};")
        g.emit(f"*{pp} = {table}[{g.expr(32, 1)} % 3];")
        g.emit(f"{pp} = {g.pick(f'&{table}[1]', f'same(&{table}[2])', pp)};")
        g.pay(1)
        g.hop()
        g.emit(f"eat(**{pp} ^ *{p});")
        g.pay(1)


@idiom(6)
def member(g):
    """The address of a structure from that of a member, as container_of() computes it."""
    struct = g.rng.choice(g.structs)
    ctype, field, length = g.rng.choice(struct.fields)
    with g.block(""):
        s, p, q = g.fresh("rec"), g.fresh("p"), g.fresh("q")
        dot = f"{field}[{length - 1}]" if length else field
        g.emit(f"struct {struct.name} {s} = {{ }};")
        g.emit(f"{ctype} *{p} = same(&{s}.{dot});")
        g.emit(f"struct {struct.name} *{q} = (void *){p} - "
               f"__builtin_offsetof(struct {struct.name}, {dot});")
        g.emit("")
        g.hop()
        g.emit(f"*{p} = {g.expr(32)};")
        for ctype, field, length in struct.fields:
            dot = f"{field}[{g.number(0, length - 1)}]" if length else field
            g.emit(f"{q}->{dot} += {g.source()};")
        g.hop()
        for ctype, field, length in struct.fields:
            g.emit(f"eat({s}.{field}{f'[{length - 1}]' if length else ''});")
        g.pay(len(struct.fields) + 1)


@idiom(6)
def records(g):
    """An array of structures, walked by index and by pointer; copies of them."""
    struct = g.rng.choice(g.structs)
    with g.block(""):
        s, p, copy, nr = g.fresh("rec"), g.fresh("p"), g.fresh("c"), g.number(2, 5)
        g.emit(f"struct {struct.name} {s}[{nr}] = {{ }}, {copy}, *{p};")
        g.emit("")
        with g.block(f"for ({p} = {s}; {p} < {s} + {nr}; {p}++)", times=nr):
            for _, field, length in struct.fields:
                dot = f"{field}[{g.number(0, length - 1)}]" if length else field
                g.emit(f"{p}->{dot} = {g.source()};")
        index = g.number(0, nr - 1)
        g.emit(f"{copy} = {s}[{index}];")
        g.hop()
        g.emit(f"{s}[{(index + 1) % nr}] = {copy};")
        g.hop()
        with g.block(f"for ({p} = {s}; {p} < {s} + {nr}; {p}++)", times=nr):
            for _, field, length in struct.fields:
                g.emit(f"eat({p}->{field}{'[0]' if length else ''});")
            g.pay(len(struct.fields))


@idiom(4)
def overlay(g):
    """A union: words, and the halves and bytes of them."""
    with g.block(""):
        u = g.fresh("union")
        g.emit("union {")
        g.emit("\tu64\tlong_word;")
        g.emit("\tu32\thalf[2];")
        g.emit("\tu16\tquarter[4];")
        g.emit("\tu8\tbyte[8];")
        g.emit(f"}} {u} = {{ .long_word = {g.expr(64, 1)} }};")
        g.emit("")
        for _ in range(g.number(2, 4)):
            part = g.pick("half[1]", "half[0]", "quarter[1]", "quarter[3]", "byte[2]", "long_word")
            # The upper half must not be that of a stack: a move would take the word for an address.
            value = "num64()" if part == "long_word" else \
                f"{g.source()} | 0x80000000U" if part == "half[1]" else g.source()
            g.emit(f"{u}.{part} = {value};")
            g.pay(1)
            g.hop()
        g.emit(f"eat({u}.half[0] + {u}.byte[7] + {u}.quarter[2]);")
        g.emit(f"poke(&{u}.byte[1], 1);")
        g.emit(f"eat({u}.quarter[0]);")
        g.pay(3)


# --- Bytes ------------------------------------------------------------------------

@idiom(7)
def packet(g):
    """A buffer of bytes with headers of variable length, parsed with a moving pointer."""
    with g.block(""):
        size = g.pick(40, 64, 100, 256)
        buf, p, end, length = g.fresh("b"), g.fresh("p"), g.fresh("end"), g.fresh("len")
        value = g.fresh("w")
        g.declare_bytes = None
        g.emit(f"u8 {buf}[{size}] = {{ }};")
        g.emit(f"u8 *{p} = {buf}, *{end} = {buf} + sizeof({buf});")
        g.emit(f"u32 {value}, {length};")
        g.emit("")
        g.emit(f"poke({buf}, sizeof({buf}));")
        g.pay(1)
        with g.block(f"while ({end} - {p} >= 8)", times=size // 12 + 1):
            g.emit(f"memcpy(&{value}, {p} + {g.number(0, 4)}, sizeof({value}));")
            g.emit(f"{length} = 8 + {p}[1] % 16;")
            g.hop()
            g.emit(f"eat({value});")
            g.emit(f"if ({length} > {end} - {p})")
            g.emit("\tbreak;")
            g.emit(f"eat(peek({p}, {length}));")
            g.pay(2)
            g.emit(f"{p} += {length};")
        g.emit(f"eat({end} - {p});")


@idiom(5)
def text(g):
    """A string, written through a pointer up to an end."""
    with g.block(""):
        size = g.number(8, 48)
        buf, p, end, n = g.fresh("b"), g.fresh("p"), g.fresh("end"), g.fresh("n")
        g.emit(f"char {buf}[{size}];")
        g.emit(f"char *{p} = {buf}, *{end} = {buf} + sizeof({buf}) - 1;")
        g.emit(f"u32 {n} = {g.source()};")
        g.emit("")
        with g.block(f"while ({n} && {p} < {end})", times=min(size, 10)):
            g.emit(f"*{p}++ = '0' + {n} % 10;")
            g.emit(f"{n} /= 10;")
            g.hop()
        g.emit(f"*{p} = 0;")
        g.emit(f"eat({p} - {buf});")
        g.emit(f"eat(peek({buf}, {p} - {buf} + 1));")
        g.pay(2)


@idiom(6)
def blocks(g):
    """memmove, memset and memcmp of two arrays or of one."""
    with g.block(""):
        var = g.an_array(None, 3)
        other = g.an_array(var.ctype, 3)
        nr = min(var.length, other.length)
        size = f"sizeof({var.ctype}) * {g.number(1, nr)}"
        if var is not other:
            g.emit(f"memmove({var.name}, {other.name}, {size});")
        g.hop()
        g.emit(f"eat(!memcmp({var.name}, {other.name}, {size}));")
        if g.chance(50):
            g.emit(f"memset({other.name} + {g.number(0, 1)}, {g.number(0, 255)}, "
                   f"sizeof({var.ctype}) * {nr - 1});")
        g.hop()
        g.emit(f"eat({var.name}[{g.index(var)}]);")
        g.pay(2)


@idiom(5)
def bits(g):
    """A bitmap: sets bits by their numbers, and searches for them."""
    with g.block(""):
        words = g.number(1, 4)
        name, i, n = g.fresh("map"), g.fresh("i"), g.fresh("n")
        g.emit(f"u64 {name}[{words}] = {{ }};")
        g.emit(f"u32 {i}, {n};")
        g.emit("")
        rounds = g.number(3, 8)
        with g.block(f"for ({i} = 0; {i} < {rounds}; {i}++)", times=rounds):
            g.emit(f"{n} = {g.source()} % {words * 64};")
            g.emit(f"{name}[{n} / 64] |= 1UL << {n} % 64;")
        g.hop()
        with g.block(f"for ({i} = 0; {i} < {words}; {i}++)", times=words):
            with g.block(f"while ({name}[{i}])", times=4):
                g.emit(f"eat(__builtin_ctzl({name}[{i}]));")
                g.emit(f"{name}[{i}] &= {name}[{i}] - 1;")
                g.pay(1)


@idiom(5)
def ring(g):
    """A ring with a head and a tail that only count up."""
    with g.block(""):
        size = g.pick(4, 8, 16)
        var = g.array(g.pick("u8", "u16", "u32"), size)
        head, tail, i = g.fresh("head"), g.fresh("tail"), g.fresh("i")
        kind = g.pick("u32", "u16", "u8", "u64")
        g.emit(f"{kind} {head} = {g.source()}, {tail} = {head};")
        g.emit(f"u32 {i};")
        g.emit("")
        rounds = g.number(4, 12)
        with g.block(f"for ({i} = 0; {i} < {rounds}; {i}++)", times=rounds):
            g.emit(f"{var.name}[{head}++ % {size}] = {g.source()};")
            with g.block(f"if (({kind})({head} - {tail}) == {size} || {i} % 3 == 2)"):
                g.emit(f"eat({var.name}[{tail}++ % {size}]);")
                g.pay(1)


# --- Calls --------------------------------------------------------------------------

@idiom(12)
def calls(g):
    """Calls a function of the program, with arguments that are in scope."""
    result = g.call()
    if result:
        g.emit(f"eat({result});")
    else:
        g.hop()


@idiom(5)
def callback(g):
    """Calls a function through a pointer whose value the compiler does not know."""
    fitting = [f for f in g.functions if f.returns == "callback" and g.affords(f.cost * 6)]
    if not fitting:
        assign(g)
        return
    function = g.rng.choice(fitting)
    with g.block(""):
        var = g.an_array("u32")
        f, i = g.fresh("f"), g.fresh("i")
        g.emit(f"u32 (*{f})(u32 *, u32) = same({function.name});")
        g.emit(f"u32 {i};")
        g.emit("")
        rounds = min(var.length, 6)
        with g.block(f"for ({i} = 0; {i} < {rounds}; {i}++)", times=rounds):
            g.pay(function.cost)
            g.emit(f"{var.name}[{i}] ^= {f}(&{var.name}[{g.pick(i, f'{rounds - 1} - {i}')}], {i});")
        g.pay(1)
