# SPDX-License-Identifier: GPL-2.0
"""Makes a unit for the fuzzer from programs of csmith.

csmith's global variables become members of a structure in the first frame, and all
functions get a pointer to it. So all variables, and the many pointers between them, are on
the stack. Names get a prefix, so that several programs fit into a unit. After some calls of
csmith's arithmetic functions a hook adds the result to the checksum; the stack may move there.
"""

import pathlib
import random
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent

HEADER = "/usr/include/csmith/safe_math.h"

OPTIONS = """--no-volatiles --no-argc --no-float --nomain
    --no-checksum --no-packed-struct --quiet --concise --inline-function-prob 10
    --max-block-depth 3 --max-array-len-per-dim 6 --max-expr-complexity 6""".split()

# A variant of an arithmetic function that adds its result to the checksum.
SEEN = """
#define SEEN(type, name, params, args) \\
static inline type seen_##name params \\
{ \\
	type result = safe_##name args; \\
\\
	eat(result); \\
	return result; \\
}
"""

PRELUDE = """/* SPDX-License-Identifier: GPL-2.0 */
#include "program.h"
#include <stdint.h>
#include <limits.h>

#define STATIC static
#define LOG_INDEX
#define LOG_EXEC
#define UNDEFINED(value) (value)
#define FUNC_NAME(x) (safe_##x)
"""


def arithmetic():
    """Returns csmith's arithmetic without floats, and a variant of each function with a hook."""
    with open(HEADER, encoding="ascii") as file:
        functions = re.split(r"^(?=STATIC )", file.read(), flags=re.M)[1:]
    lines = []
    for text in functions:
        if "float" in text or "double" in text:
            continue
        lines.append(text[:text.index("\n}") + 3])
        result, name, params = re.match(r"STATIC (\w+)\s+FUNC_NAME\((\w+)\)\(([^)]*)\)",
                                        text).groups()
        params = params.replace(" LOG_INDEX", "")
        args = ", ".join(param.split()[-1] for param in params.split(","))
        lines.append(f"SEEN({result}, {name}, ({params}), ({args}))\n")
    return "\n".join(lines)


class Program:
    """A program of csmith. Its lines have its prefix in all names, and calls of hooks."""

    def __init__(self, seed, index):
        self.name = f"c{index}"
        number = random.Random(f"csmith:{seed}:{index}").getrandbits(31)
        self.rng = random.Random(number)
        functions = self.rng.choice((3, 4, 6, 8))
        # csmith leaves a file about the machine in its working directory.
        done = subprocess.run(["csmith", "--seed", str(number), *OPTIONS, "--max-funcs",
                               str(functions)], capture_output=True, text=True, check=True,
                              cwd=TOP / "build")
        text = done.stdout.partition("static long __undefined;")[2].replace("(void*)0", "NULL")
        text = re.sub(r"\b(func_\d+|[SU]\d+)\b", rf"{self.name}_\1", text)
        text = re.sub(r"\bsafe_(\w+)\(", self.some_seen, text)
        self.state = f"struct {self.name}_state"
        self.members, self.begin, self.end = [], [], []
        lines = [line.rstrip() for line in text.splitlines()]
        body = [self.adapt(line) for line in lines if not self.take_global(line)]
        self.lines = self.put_together(body)

    def some_seen(self, match):
        """Replaces half the calls of arithmetic functions by calls of the variant with a hook."""
        return f"{'seen' if self.rng.randrange(2) else 'safe'}_{match[1]}("

    def take_global(self, line):
        """Turns a global variable into a member of the structure; returns whether this is one."""
        match = re.match(r"static (.*?)(g_\d+)((?:\[\d+\])*) = (.*);$", line)
        if not match:
            return False
        kind, name, dimensions, value = match.groups()
        kind = re.sub(r"\*\s*const\s*$", "* ", kind)
        if "*" not in kind:
            kind = kind.replace("const ", "")
        self.members.append(f"\t{kind}{name}{dimensions};")
        value = re.sub(r"\bg_\d+", r"G->\g<0>", value)
        if value.startswith("{"):
            self.begin.append(f"\tmemcpy(&G->{name}, &({kind}{dimensions}){value}, "
                              f"sizeof(G->{name}));")
        else:
            self.begin.append(f"\tG->{name} = {value};")
        if "*" not in kind and not re.search(r"_[SU]\d", kind):
            self.end.append(f"\teat(peek(&G->{name}, sizeof(G->{name})));")
        return True

    def adapt(self, line):
        """Gives the functions and calls in a line the pointer to the structure."""
        if line.startswith("static"):
            if line.endswith(")") and self.rng.randrange(4):
                line = line.replace("static", "static noinline", 1)
            line = re.sub(r"(_func_\d+)\(void\)", rf"\1({self.state} *G)", line)
            return re.sub(r"(_func_\d+)\((?!struct \w+_state)", rf"\1({self.state} *G, ", line)
        line = re.sub(r"(_func_\d+)\(\)", r"\1(G)", line)
        line = re.sub(r"(_func_\d+)\((?!G\))", r"\1(G, ", line)
        return re.sub(r"\bg_\d+", r"G->\g<0>", line)

    def put_together(self, body):
        """Returns the lines: types, state, functions, and a caller of the first function."""
        at = next(i for i, line in enumerate(body) if re.match(r"static .*_func_\d+\(", line))
        first = f"{self.name}_func_1"
        result = next(line for line in body if re.search(rf"\b{first}\(", line))
        number = not re.search(r"_[SU]\d+\s|\*", result.partition(first)[0])
        return [*body[:at], self.state + " {", *self.members, "};", "", *body[at:], "",
                f"static void {self.name}(void)", "{", f"\t{self.state} state = {{ }};",
                f"\t{self.state} *G = same(&state);", "", *self.begin,
                f"\teat({first}(G));" if number else f"\t{first}(G);", *self.end, "}", ""]


def unit(seed, indices):
    """Returns the text of a unit of these programs."""
    lines = [PRELUDE, SEEN, arithmetic(), ""]
    names = []
    for index in indices:
        program = Program(seed, index)
        lines += program.lines
        names.append(program.name)
    lines.append("const struct program programs[] = {")
    lines += [f'\t{{ "{name}", {name} }},' for name in names]
    lines += ["};", "", f"const u32 nr_programs = {len(names)};", ""]
    return "\n".join(lines)
