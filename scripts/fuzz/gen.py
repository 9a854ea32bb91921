#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Generates random C functions in the style of kernel code, for the fuzzer of movability.

Prints a unit of programs. A program consists of functions that call each other and the hooks
of program.h, and nothing else. Its behaviour is always defined, and it soon ends.
idioms.py, helpers.py and hazards.py decide what the functions do; this file has the parts
that they are made of.

Statements that reduce.py may leave out stand between lines /*{N*/ and /*N}*/.

usage: gen.py [--seed N] [--programs N] [--only I] [--vla] [--disguise] [--idioms A,B...]
"""

import argparse
import contextlib
import random

import hazards      # noqa: F401, the import registers its idioms
import helpers
import idioms

# The maximum number of hooks that a program may run, and that a call of a function may run.
BUDGET = 700
CALL_BUDGET = 150

WIDTHS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "s16": 16, "s32": 32, "s64": 64}


class Var:
    """A variable in scope: a scalar, an array, or a pointer to an array."""

    def __init__(self, name, ctype, length=0, heap=False):
        self.name, self.ctype, self.length, self.heap = name, ctype, length, heap

    def __repr__(self):
        return f"{self.ctype} {self.name}[{self.length}]"


class Struct:
    """A structure type of the program: fields as (type, name, length or 0)."""

    def __init__(self, name, fields, tail=""):
        self.name, self.fields, self.tail = name, fields, tail

    def define(self):
        """Returns the lines of its definition."""
        lines = [f"struct {self.name} {{"]
        for ctype, name, length in self.fields:
            lines.append(f"\t{ctype}\t{name}{f'[{length}]' if length else ''};")
        return lines + [f"}}{self.tail};", ""]


class Generator:
    """Generates one program. Its text is in lines."""

    def __init__(self, seed, index, options):
        self.rng = random.Random(f"{seed}:{index}")
        self.prefix = f"f{index}_"
        self.name = f"p{index}"
        self.options = options
        self.lines = []
        self.depth = 0
        self.scopes = []
        self.times = 1
        self.cost = 0
        self.names = 0
        self.regions = 0
        self.functions = []
        self.structs = []
        self.nesting = 0
        self.labels = 0

    # --- Text ---------------------------------------------------------------

    def emit(self, line):
        """Appends a line of C."""
        self.lines.append("\t" * self.depth + line if line else "")

    @contextlib.contextmanager
    def region(self):
        """Marks the lines emitted inside: reduce.py may leave them out."""
        self.regions += 1
        number = self.regions
        self.lines.append(f"/*{{{number}*/")
        yield
        self.lines.append(f"/*{number}}}*/")

    @contextlib.contextmanager
    def block(self, head, tail="}", times=1):
        """Emits a block that runs @times times and has its own scope."""
        self.emit(head + " {" if head else "{")
        self.depth += 1
        self.scopes.append([])
        self.times *= times
        yield
        self.times //= times
        self.scopes.pop()
        self.depth -= 1
        self.emit(tail)

    def fresh(self, stem):
        """Returns a new name."""
        self.names += 1
        return f"{stem}{self.names}"

    # --- Choices ------------------------------------------------------------

    def chance(self, percent):
        """True in @percent of the cases."""
        return self.rng.randrange(100) < percent

    def pick(self, *choices):
        """Returns one of these."""
        return self.rng.choice(choices)

    def number(self, low, high):
        """Returns a number from low to high."""
        return self.rng.randint(low, high)

    def constant(self, width=32):
        """Returns a constant of a kind that is common in programs."""
        value = self.pick(self.number(0, 9), self.number(0, 255), 1 << self.number(0, width - 1),
                          self.number(0, (1 << width) - 1), 4096, 0xffff)
        return f"{value & ((1 << width) - 1):#x}{'UL' if width == 64 else 'U'}"

    # --- Variables ----------------------------------------------------------

    def declare(self, var):
        """Adds a variable to the scope."""
        self.scopes[-1].append(var)
        return var

    def visible(self, arrays):
        """Returns the arrays, or the scalars, in scope."""
        return [v for scope in self.scopes for v in scope if bool(v.length) == arrays]

    def scalar(self, ctype=None, value=None):
        """Declares a scalar."""
        ctype = ctype or self.pick("u8", "u16", "u16", "u32", "u32", "u32", "u64", "u64", "s32", "s64")
        value = value or self.value(ctype)
        var = Var(self.fresh("v"), ctype)
        self.emit(f"{ctype} {var.name} = {value};")
        return self.declare(var)

    def array(self, ctype=None, length=None):
        """Declares an array on the stack."""
        ctype = ctype or self.pick("u8", "u16", "u32", "u32", "u64")
        length = length or self.number(2, 24)
        align = f" __aligned({self.pick(16, 32, 64)})" if self.chance(8) else ""
        var = Var(self.fresh("a"), ctype, length)
        self.emit(f"{ctype} {var.name}[{length}]{align} = {{ {self.constant(8)} }};")
        return self.declare(var)

    def heap_array(self, ctype=None, length=None):
        """Declares a pointer to an array that is not on the stack."""
        ctype = ctype or self.pick("u8", "u16", "u32", "u64")
        length = length or self.number(2, 24)
        var = Var(self.fresh("h"), ctype, length, heap=True)
        self.emit(f"{ctype} *{var.name} = heap(sizeof({ctype}) * {length});")
        self.pay(1)
        return self.declare(var)

    def an_array(self, ctype=None, least=2):
        """Returns an array of this type in scope, or declares one, where that is allowed."""
        found = [v for v in self.visible(True)
                 if v.length >= least and (not ctype or v.ctype == ctype)]
        if found and self.chance(60):
            return self.rng.choice(found)
        return self.array(ctype, self.number(least, max(least, 24)))

    def some_array(self, ctype=None, least=1):
        """Returns an array in scope, or None."""
        found = [v for v in self.visible(True)
                 if v.length >= least and (not ctype or v.ctype == ctype)]
        return self.rng.choice(found) if found else None

    # --- Expressions: without side effects ------------------------------------

    def index(self, var):
        """Returns an index into an array."""
        if self.chance(30):
            return str(self.number(0, var.length - 1))
        return f"{self.expr(32, 1)} % {var.length}"

    def leaf(self, width):
        """Returns a value in scope, as u32 or u64."""
        scalars, arrays = self.visible(False), self.visible(True)
        cast = f"u{width}"
        choice = self.number(0, 9)
        if choice < 6 and scalars:
            return f"({cast}){self.rng.choice(scalars).name}"
        if choice < 9 and arrays:
            var = self.rng.choice(arrays)
            return f"({cast}){var.name}[{self.number(0, var.length - 1)}]"
        return self.constant(width)

    def expr(self, width, depth=2):
        """Returns an expression of type u32 or u64, made of variables in scope."""
        if depth <= 0 or self.chance(25):
            return self.leaf(width)
        a, b = self.expr(width, depth - 1), self.expr(width, depth - 1)
        kind = self.number(0, 11)
        if kind == 0:
            return f"({a} << {self.number(1, width - 1)})"
        if kind == 1:
            return f"({a} >> {self.number(1, width - 1)})"
        if kind == 2:
            return f"({a} {self.pick('/', '%')} ({b} | 1))"
        if kind == 3:
            return f"({self.leaf(32)} {self.pick('<', '==', '>=')} {self.leaf(32)} ? {a} : {b})"
        if kind == 4 and width == 64:
            return f"(u64)({self.expr(32, depth - 1)})"
        if kind == 5 and width == 32:
            return f"(u32){self.pick('(u16)', '(u8)', '(s8)', '')}({self.expr(64, depth - 1)})"
        return f"({a} {self.pick('+', '-', '*', '^', '&', '|', '+', '-')} {b})"

    def condition(self):
        """Returns a condition."""
        return f"{self.expr(32, 1)} {self.pick('<', '>', '!=', '==')} {self.leaf(32)}"

    # --- Calls ----------------------------------------------------------------

    def pay(self, hooks):
        """Adds the hooks that this place runs to the cost of the function."""
        self.cost += hooks * self.times

    def affords(self, hooks):
        """Returns whether this place may run so many hooks."""
        return self.cost + hooks * self.times <= self.budget

    def hop(self):
        """Emits a hook, where the stack may move, unless the program runs too many hooks."""
        if self.affords(1):
            self.pay(1)
            self.emit("hop();")

    def argument(self, param):
        """Returns an argument for a parameter, or None if no array fits."""
        ctype, length = param
        if not length:
            return self.expr(WIDTHS.get(ctype, 32) if ctype == "u64" else 32, 1)
        found = [v for v in self.visible(True) if v.ctype == ctype and v.length >= length]
        if not found:
            return None
        var = self.rng.choice(found)
        spare = var.length - length
        return f"&{var.name}[{self.number(0, spare)}]" if spare or self.chance(30) else var.name

    def call(self):
        """Returns a call of a function of the program, or None if no function fits."""
        fitting = [f for f in self.functions
                   if f.returns != "callback" and self.affords(f.cost)]
        self.rng.shuffle(fitting)
        for function in fitting:
            args = [self.argument(p) for p in function.params]
            if None not in args:
                self.pay(function.cost)
                return f"{function.name}({', '.join(args)})"
        return None

    def source(self):
        """Returns a call with a u32 as result; nothing else in its statement has side effects."""
        call = self.call() if self.chance(45) else None
        if call:
            return call
        if not self.affords(1):
            return self.expr(32, 1)
        self.pay(1)
        var = self.some_array()
        if var and self.chance(25):
            return f"peek({var.name}, sizeof({var.ctype}) * {var.length})"
        return self.pick("num32()", "num32()", "num16()", "num(100)", "(u32)num64()")

    def value(self, ctype):
        """Returns a value for a new variable."""
        if self.chance(40):
            return self.expr(64 if ctype in ("u64", "s64") else 32, 1)
        if ctype in ("u64", "s64") and self.affords(1) and self.chance(50):
            self.pay(1)
            return self.pick("num64()", "num32()", "num(1000)")
        return self.source()

    # --- Statements -------------------------------------------------------------

    def statement(self):
        """Emits a statement of any kind."""
        name, idiom = self.rng.choices(self.options.chosen, self.options.weights)[0]
        if self.nesting > 2 or (idiom.calls and not self.affords(4)):
            name, idiom = "assign", idioms.ALL["assign"]
        self.nesting += 1
        with self.region():
            idiom(self)
        self.nesting -= 1

    def statements(self, low, high):
        """Emits from @low to @high statements."""
        for _ in range(self.number(low, high)):
            self.statement()

    def eat_all(self, scope):
        """Emits code that adds the variables of a scope to the checksum."""
        for var in scope:
            if not var.length:
                with self.region():
                    self.emit(f"eat({var.name});")
            elif not var.heap or self.chance(50):
                with self.region():
                    self.emit(f"eat(peek({var.name}, sizeof({var.ctype}) * {var.length}));")

    # --- Functions --------------------------------------------------------------

    def make_structs(self):
        """Defines the structures of this program. Some have holes."""
        for number in range(self.number(1, 3)):
            fields = []
            for k in range(self.number(2, 6)):
                ctype = self.pick("u8", "u16", "u32", "u32", "u64")
                fields.append((ctype, f"m{k}", self.pick(0, 0, 0, self.number(2, 8))))
            struct = Struct(f"{self.prefix}s{number}", fields)
            self.structs.append(struct)
            self.lines += struct.define()

    def open_function(self, budget):
        """Resets the state for a new function."""
        self.cost, self.times, self.budget, self.nesting = 0, 1, budget, 0
        self.scopes = [[]]

    def signature(self):
        """Returns the parameters, as (type, length), and their declaration."""
        params, names = [], []
        for k in range(self.pick(0, 1, 2, 2, 3, 4, 7)):
            if self.chance(40):
                params.append((self.pick("u8", "u16", "u32", "u32", "u64"), self.number(2, 12)))
                var = Var(f"arg{k}", *params[-1])
                names.append(f"{var.ctype} *{var.name}")
            else:
                params.append((self.pick("u8", "u16", "u32", "u64", "s32"), 0))
                var = Var(f"arg{k}", params[-1][0])
                names.append(f"{var.ctype} {var.name}")
            self.declare(var)
        return params, ", ".join(names) or "void"

    def make_function(self, number):
        """Generates a function: local variables that live to its end, and statements."""
        self.open_function(CALL_BUDGET)
        name = f"{self.prefix}{number}"
        params, declared = self.signature()
        attribute = self.pick("noinline ", "noinline ", "noinline ", "inline ", "")
        self.emit(f"static {attribute}u32 {name}({declared})")
        with self.block(""):
            crowd = self.pick(2, 3, 4, 6, 14)
            for _ in range(crowd):
                self.pick(self.scalar, self.scalar, self.array)()
            if self.chance(20):
                self.heap_array()
            if self.chance(6):
                self.array("u8", self.number(300, 2500))
            scope = list(self.scopes[-1])
            self.emit("")
            self.statements(1, 4)
            self.eat_all(scope)
            self.emit(f"return {self.expr(32)};")
        self.emit("")
        self.functions.append(helpers.Function(name, params, "u32", self.cost + 2))

    def make_program(self):
        """Generates the program and returns its lines."""
        self.make_structs()
        for make in helpers.ALL:
            if self.chance(make.percent):
                self.open_function(CALL_BUDGET)
                with self.region():
                    make(self)
        for number in range(self.number(1, 4)):
            with self.region():
                self.make_function(number)
        self.open_function(BUDGET)
        self.emit(f"static void {self.name}(void)")
        with self.block(""):
            for _ in range(self.number(1, 3)):
                self.scalar()
            for ctype in ("u8", "u16", "u32", "u64"):
                self.array(ctype, self.number(12, 16))
            scope = list(self.scopes[-1])
            self.emit("")
            for var in scope:
                if var.length:
                    with self.region():
                        self.emit(f"poke({var.name}, sizeof({var.name}));")
            for function in reversed(self.functions):
                if function.returns == "callback" or not self.affords(function.cost):
                    continue
                args = [self.argument(p) for p in function.params]
                if None not in args and (self.chance(60) or function is self.functions[-1]):
                    self.pay(function.cost)
                    with self.region():
                        self.emit(f"eat({function.name}({', '.join(args)}));")
            self.statements(0, 3)
            self.eat_all(scope)
        self.emit("")
        return self.lines


def unit(seed, indices, options):
    """Returns the text of a unit of these programs."""
    lines = ["/* SPDX-License-Identifier: GPL-2.0 */", '#include "program.h"', ""]
    names = []
    for index in indices:
        generator = Generator(seed, index, options)
        lines += generator.make_program()
        names.append(generator.name)
    lines.append("const struct program programs[] = {")
    lines += [f'\t{{ "{name}", {name} }},' for name in names]
    lines += ["};", "", f"const u32 nr_programs = {len(names)};", ""]
    return "\n".join(lines)


def choose(options):
    """Sets the idioms for these options, and their weights."""
    chosen = [(name, idiom) for name, idiom in idioms.ALL.items()
              if not idiom.option or getattr(options, idiom.option)]
    if options.idioms:
        wanted = options.idioms.split(",")
        chosen = [(name, idiom) for name, idiom in chosen if name in wanted or name == "assign"]
    options.chosen = chosen
    options.weights = [idiom.weight for _, idiom in chosen]
    return options


def arguments(args=None):
    """Parses the options of a unit."""
    parser = argparse.ArgumentParser(description="random C functions, see gen.py")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", type=int, default=10)
    parser.add_argument("--only", type=int, help="make only program ONLY")
    parser.add_argument("--vla", action="store_true", help="arrays of variable length, alloca")
    parser.add_argument("--disguise", action="store_true", help="addresses in disguise")
    parser.add_argument("--idioms", help="use only these, and assign")
    return choose(parser.parse_args(args))


def main():
    """Prints a unit."""
    options = arguments()
    indices = range(options.programs) if options.only is None else [options.only]
    print(unit(options.seed, indices, options), end="")


if __name__ == "__main__":
    main()
