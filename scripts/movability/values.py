# SPDX-License-Identifier: GPL-2.0
"""Abstract values: what the checker knows of 64 bits, and arithmetic on them.

A move rebases aligned words and registers that hold an address of the stack, and nothing
else. So the question about a value is whether it is such an address, or is made from one in
a way that a move would have to undo.

	NUM	certainly not an address; @const is its value, if known; otherwise, if it
		is known not to be negative, @other is its upper bound, if known
	STK	an address of this frame, @const from the stack pointer at entry, or
		that plus a variable (@const None)
	ANY	from an argument, a load, a call: a number or a plain address, plus
		@const. @org is its origin, so that the checker can find out later that
		it was an address
	DIFF	one unknown value minus another, @org minus @other
	NEG	minus @org
	SHADOW	an address of KASAN's shadow of this frame
	TRUNC	the lower half of a stack address
	PART	@other, with its lowest @const bytes replaced by a number
	LANES	a vector register: @other is a tuple of words
	BAD	made from a stack address, and not plain; @why
	UNDEF	the contents of a register that a call may have changed

@sign tells which variables were added: NONE; LOOSE: one of several constants; PLUS: an
index; MIXED: a difference of two variables; MINUS: a variable was subtracted. With the last
two the value may be an address outside the stack, which a later addition brings back. A
variable rounded down, or a constant minus a smaller variable, does not count as a difference.

The low 16 bits of a stack address (KEPT_BITS) never change: a stack is moved by a multiple
of a slot, which is twice as large as the largest stack.
"""

NUM, STK, ANY, DIFF, NEG, SHADOW, TRUNC, PART, LANES, BAD, UNDEF = range(11)
NONE, LOOSE, PLUS, MIXED, MINUS = range(5)

KEPT_BITS = 16
MOST_BOUND = 1 << 32
SMALL = 4096
# Larger than any frame, and less than the distance between regions in frame.py.
FAR_AWAY = 1 << 32
MASK64 = (1 << 64) - 1

# Origins: addresses of this frame, and values that may be such addresses.
STACK, POINTER = 1, 2
FIRST_ORIGIN = 100


class Value:
    """A value. Values are interned: equal values are the same object."""

    __slots__ = ("kind", "const", "sign", "org", "other", "why")

    def __init__(self, key):
        self.kind, self.const, self.sign, self.org, self.other, self.why = key

    def __repr__(self):
        names = ("num", "stk", "any", "diff", "neg", "shadow", "trunc", "part", "lanes", "bad",
                 "undef")
        facts = [f"{name}={getattr(self, name)!r}" for name in
                 ("const", "sign", "org", "other", "why") if getattr(self, name)]
        return f"{names[self.kind]}({', '.join(facts)})"


_KNOWN = {}


def make(kind, const=None, sign=NONE, org=0, other=None, why=None):
    """The value with these properties."""
    key = kind, const, sign, org, other, why
    value = _KNOWN.get(key)
    if value is None:
        value = _KNOWN[key] = Value(key)
    return value


def signed(number):
    """A number of 64 bits as a signed number."""
    number &= MASK64
    return number - (1 << 64) if number >> 63 else number


def num(const=None, sign=PLUS, most=None):
    """A number; a known one has no sign."""
    if const is not None:
        return make(NUM, signed(const))
    return make(NUM, None, sign, other=most if most is not None and most < MOST_BOUND else None)


def most_of(value):
    """The upper bound of a number that is not negative; None if that is not known."""
    return value.const if value.const is not None and value.const >= 0 else value.other


def stk(offset):
    """The address at this distance from the stack pointer at entry."""
    return make(STK, offset)


def anything(org, sign=NONE, const=0):
    """A number or a plain address, plus a constant unless a variable was added."""
    return make(ANY, const if sign == NONE else 0, sign, org)


def bad(why):
    """Made from a stack address, and not plain. @why is a class and a description."""
    return make(BAD, why=why)


SHIFTED = "scaled", "a stack address shifted, multiplied or rotated"
SUM = "biased", "a sum of two addresses"
NEGATED = "negated", "minus a stack address"
DISGUISED = "masked", "a stack address with some bits changed"
HALF = "half word", "half of a stack address"
IN_VECTOR = "vector", "a stack address in a vector register"
OUTSIDE = "biased", "a stack address plus a constant, outside of the frame"
# The lowest bits of these come from the lowest bits of addresses, which never change.
KEEP_LOW_BITS = SUM, NEGATED, DISGUISED
UNCLEAR = "unclear", "on one path made of a stack address, on another one not"


NUMBER = num()
DIFFERENCE = num(None, MIXED)
ZERO = num(0)
PLAIN = anything(POINTER)
LOWER = make(TRUNC)


def stack_index(sign):
    """An address of the frame plus a variable."""
    return make(STK, None, sign)


def origin(value):
    """The origin of a value that may be an address; 0 for a number."""
    if value.kind == STK:
        return STACK
    if value.kind in (ANY, DIFF, NEG):
        return value.org
    return 0


# --- Signs -----------------------------------------------------------------

FLIP = {NONE: NONE, LOOSE: LOOSE, PLUS: MINUS, MIXED: MIXED, MINUS: PLUS}


def sum_sign(one, two):
    """The sign of a sum of two variables."""
    if min(one, two) <= LOOSE or one == two:
        return max(one, two)
    return MIXED


def _sign_of(value):
    """The sign of an addend that is a number, or is assumed to be one."""
    if value.kind == NUM:
        return NONE if value.const is not None else value.sign
    if value.kind == ANY:
        return MIXED if value.sign == MINUS else max(value.sign, PLUS)
    return MIXED


def _moved(sign, value):
    """The sign of an unknown value when a number is added. A difference that is added may
    well be an index; additions to a stack address are examined more closely."""
    added = _sign_of(value)
    return sum_sign(sign, PLUS if added == MIXED else added)


# --- Arithmetic on 64 bits -------------------------------------------------

class Arithmetic:
    """Operations that may make new origins. Each checked function has one."""

    def __init__(self, kasan=False):
        self.kasan = kasan
        self._origins = {}
        self.sums = set()       # (new origin, origin, origin)
        self._grown = {}
        self.is_far = lambda offset: False      # whether an offset is outside of the frame
        self.choices = {}       # {new origin: the origins that it may be}
        self.pointers = {STACK, POINTER}

    def origin(self, *key):
        """The number of the origin with this key."""
        return self._origins.setdefault(key, FIRST_ORIGIN + len(self._origins))

    def unknown(self, *key):
        """A value of unknown kind that comes from a place."""
        return anything(self.origin(*key))

    def add(self, one, two, where):
        """one + two."""
        if one.kind == NUM and (two.kind != NUM or two.const is not None):
            one, two = two, one
        kinds = one.kind, two.kind
        if UNDEF in kinds:
            return one if one.kind == UNDEF else two
        if kinds == (NUM, NUM):
            if one.const is not None and two.const is not None:
                return num(one.const + two.const)
            most = most_of(one), most_of(two)
            return num(None, sum_sign(_sign_of(one), _sign_of(two)),
                       None if None in most else sum(most))
        if two.kind == NUM:
            return self._add_number(one, two)
        return self._add_unknown(one, two, where)

    def _add_number(self, one, two):
        if two.const == 0:
            return one
        if one.kind == STK:
            if two.const is not None and one.const is not None:
                return stk(one.const + two.const) if abs(two.const) < FAR_AWAY else bad(OUTSIDE)
            return stack_index(sum_sign(one.sign, _sign_of(two)))
        if one.kind == ANY:
            if two.const is not None:
                return anything(one.org, one.sign, signed(one.const + two.const))
            return anything(one.org, _moved(one.sign, two))
        if one.kind == PART:
            return self._add_number(one.other, two) if one.other.kind != STK else bad(DISGUISED)
        if one.kind == LANES:
            return bad(IN_VECTOR)
        return one

    def _add_unknown(self, one, two, where):
        kinds = {one.kind, two.kind}
        if BAD in kinds:
            return one if one.kind == BAD else two
        if kinds & {TRUNC, PART, SHADOW, LANES}:
            return bad(SUM)
        if one.kind == NEG:
            one, two = two, one
        if two.kind == NEG:         # x + -y
            return self._difference(one, two.org) if one.kind != NEG else bad(NEGATED)
        if kinds == {STK}:
            return bad(SUM)
        if STK in kinds:
            number, address = (one, two) if two.kind == STK else (two, one)
            if number.kind == ANY and number.org in self.pointers:
                return bad(SUM)
            sign = _sign_of(number)
            if number.kind == DIFF and number.other in self.pointers:
                sign = PLUS
            return stack_index(sum_sign(address.sign, sign))
        sign = sum_sign(_sign_of(one), _sign_of(two))
        for first, second in ((one, two), (two, one)):
            if first.kind == ANY and first.org in self.pointers:
                return anything(first.org, _moved(first.sign, second))
        org = self.origin("sum", where)
        self.sums.add((org, one.org, two.org))
        return anything(org, sign)

    def _difference(self, one, org):
        """one - the value of an origin."""
        if one.kind == STK:
            if org == STACK:
                return NUMBER
            return make(DIFF, None, NONE, STACK, org)
        if one.kind in (ANY, DIFF):
            return make(DIFF, None, NONE, one.org, org)
        return bad(NEGATED)

    def sub(self, one, two, where):
        """one - two."""
        if UNDEF in (one.kind, two.kind):
            return one if one.kind == UNDEF else two
        if two.kind == NUM:
            if two.const is not None:
                return self.add(one, num(-two.const), where)
            if one.kind == NUM and two.other is not None:
                if one.const is not None and one.const >= two.other:
                    return num(None, PLUS, one.const)
                if two.other <= SMALL:
                    return num(None, _sign_of(one))
            return self.add(one, num(None, FLIP[two.sign]), where)
        if BAD in (one.kind, two.kind):
            return one if one.kind == BAD else two
        if one.kind in (STK, TRUNC) and two.kind in (STK, TRUNC):
            return NUMBER
        if one.kind == NUM:
            if two.kind in (STK, ANY):
                return make(NEG, None, NONE, origin(two))
            if two.kind == DIFF:
                return make(DIFF, None, NONE, two.other, two.org)
            if two.kind == NEG:
                return anything(two.org, PLUS)
        if two.kind == NEG:
            return bad(NEGATED) if origin(one) in self.pointers or two.org in self.pointers \
                else anything(self.origin("sum", where), MIXED)
        if two.kind in (STK, ANY) and one.kind in (STK, ANY, DIFF):
            return self._difference(one, origin(two))
        if two.kind == DIFF and one.kind in (STK, ANY):
            if origin(one) == two.org:      # x - (x - y)
                return stack_index(LOOSE) if two.other == STACK else anything(two.other, LOOSE)
            if two.other in self.pointers or two.org not in self.pointers:
                return self.sub(one, DIFFERENCE, where)
        if one.kind in (ANY, DIFF) and two.kind in (ANY, DIFF):
            org = self.origin("sum", where)
            self.sums.add((org, one.org, two.org))
            return anything(org, MIXED)
        return self.mixed(SUM, one, two)

    def neg(self, value, where):
        """-value."""
        return self.sub(ZERO, value, where)

    def mixed(self, why, *values):
        """The result of an operation that makes an address unusable."""
        for value in values:
            if value.kind in (UNDEF, BAD):
                return value
            if value.kind not in (NUM, ANY, DIFF, NEG):
                return bad(why)
        return NUMBER

    def scaled(self, value, factor):
        """value * factor, a constant; also a shift to the left."""
        if factor == 1:
            return value
        if value.kind == NUM:
            if value.const is not None:
                return num(value.const * factor)
            most = value.other * factor if value.other is not None and factor > 0 else None
            return num(None, FLIP[value.sign] if factor < 0 else value.sign, most)
        if value.kind in (ANY, DIFF):
            sign = _sign_of(value)
            return num(None, FLIP[sign] if factor < 0 else sign)
        if value.kind == NEG:
            return num(None, PLUS if factor < 0 else MINUS)
        return self.mixed(SHIFTED, value)

    def shifted_right(self, value, bits):
        """value >> bits."""
        if value.kind == STK and bits == 3 and self.kasan:
            return make(SHADOW)
        if value.kind == NUM and value.const is not None and value.const >= 0:
            return num(value.const >> bits)
        if value.kind == NUM:
            return num(None, value.sign, value.other >> bits if value.other is not None else None)
        return DIFFERENCE if value.kind == DIFF else self.mixed(SHIFTED, value)

    def masked(self, value, mask, where):
        """value & mask; @mask is a value."""
        const = mask.const if mask.kind == NUM else None
        if value.kind == NUM and value.const is not None and const is not None:
            return num(value.const & const)
        if const is not None and value.kind != UNDEF and \
                (0 <= const < 1 << KEPT_BITS or value.kind == NUM and const >= 0):
            return num(None, PLUS, const)
        if value.kind == PART:
            value = value.other if value.other.kind != STK else bad(DISGUISED)
        if value.kind == STK:
            if const is not None and const < 0 and -const & (-const - 1) == 0 and \
                    -const <= 1 << KEPT_BITS:
                return stack_index(max(value.sign, LOOSE))
            return bad(DISGUISED)
        if value.kind == ANY and mask.kind == NUM:
            if const is not None and 0 <= const < 1 << 32:
                return NUMBER
            if const is not None and -SMALL <= const < 0:
                return value        # rounded down
            return anything(value.org, max(value.sign, LOOSE))
        if NUM in (value.kind, mask.kind) and \
                (value if mask.kind == NUM else mask).kind in (ANY, DIFF, NEG):
            return self.unknown("masked", where)
        if value.kind == ANY and mask.kind == ANY:
            return self.unknown("masked", where)
        return self.mixed(DISGUISED, value, mask)

    def merged(self, one, two, where, tagging):
        """one | two, one ^ two. This may set a tag in an unknown address."""
        for first, second in ((one, two), (two, one)):
            if first.kind == NUM and first.const == 0:
                return second
            if first.kind == ANY and second.kind == NUM and tagging:
                return anything(first.org, max(first.sign, LOOSE))
        if one.kind in (ANY, DIFF, NEG) or two.kind in (ANY, DIFF, NEG):
            pointers = [value for value in (one, two) if origin(value) in self.pointers]
            if len(pointers) == 0:
                value = self.mixed(DISGUISED, one, two)
                return self.unknown("merged", where) if value is NUMBER else value
            return bad(DISGUISED)
        return self.mixed(DISGUISED, one, two)

    # --- Parts of words ----------------------------------------------------

    @staticmethod
    def lower(value, size):
        """The lowest bytes of a value, zero-extended."""
        if value.kind == BAD and size * 8 <= KEPT_BITS and value.why in KEEP_LOW_BITS:
            return num(None, PLUS, (1 << 8 * size) - 1)
        if size >= 8 or value.kind in (UNDEF, BAD):
            return value
        if value.kind == PART:
            if size <= value.const:
                return num(None, PLUS, (1 << 8 * size) - 1)
            return value if value.other.kind == UNDEF else Arithmetic.lower(value.other, size)
        if value.kind == NUM:
            if value.const is None:
                if size == 4:
                    return value
                most = (1 << 8 * size) - 1
                return num(None, value.sign, most if value.other is None else
                           min(value.other, most))
            return num(value.const & ((1 << 8 * size) - 1))
        if size < 4:
            return num(None, PLUS, (1 << 8 * size) - 1)
        if size * 8 <= KEPT_BITS or value.kind in (ANY, DIFF, NEG):
            return NUMBER if value.kind != DIFF else DIFFERENCE
        return LOWER if value.kind in (STK, TRUNC) else bad(HALF)

    @staticmethod
    def extended(value, size):
        """The lowest bytes of a value, sign-extended."""
        if value.kind == NUM and value.const is None and (value.other or MOST_BOUND) >> \
                8 * size - 1:
            return num(None, value.sign)
        if value.kind == NUM and value.const is not None:
            bits = 8 * size
            const = value.const & ((1 << bits) - 1)
            return num(const - (1 << bits) if const >> (bits - 1) else const)
        return Arithmetic.lower(value, size)

    @staticmethod
    def piece(value, delta, size):
        """Bytes [delta, delta + size) of a word with a value."""
        if delta == 0:
            return Arithmetic.lower(value, size)
        if value.kind in (UNDEF, BAD):
            return value
        if value.kind == NUM:
            if value.const is not None:
                return num((value.const & MASK64) >> 8 * delta & ((1 << 8 * size) - 1))
            return NUMBER
        if value.kind in (ANY, DIFF, NEG) or (delta + size) * 8 <= KEPT_BITS:
            return NUMBER
        return bad(HALF)

    @staticmethod
    def replaced(old, new, size):
        """A register whose lowest bytes were written."""
        if old.kind == NUM:
            if old.const is not None and new.kind == NUM and new.const is not None:
                mask = (1 << 8 * size) - 1
                return num(old.const & ~mask | new.const & mask)
            return NUMBER
        if old.kind == PART:
            size, old = max(size, old.const), old.other
        return make(PART, size, other=old)

    # --- Paths that meet ---------------------------------------------------

    def join(self, one, two, where):
        """The value that is one of the two, depending on the path to the place @where."""
        if one is two:
            return one
        if one.kind > two.kind:
            one, two = two, one
        if two.kind in (UNDEF, BAD):
            return two
        if two.kind == LANES:
            if one.kind == LANES and len(one.other) == len(two.other):
                return make(LANES, other=tuple(
                    self.join(*pair, (where, at))
                    for at, pair in enumerate(zip(one.other, two.other))))
            return bad(IN_VECTOR)
        if two.kind == PART:
            if one.kind == PART:
                return make(PART, max(one.const, two.const),
                            other=self.join(one.other, two.other, where))
            inner = self.join(one, two.other, where)
            return inner if inner.kind == NUM else make(PART, two.const, other=inner)
        return self._join_whole(one, two, where)

    def _either(self, one, two, where):
        """The origin of a value that has one of two origins."""
        if one == two:
            return one
        org = self.origin("either", where)
        self.choices.setdefault(org, set()).update((one, two))
        return org

    def _most(self, most, where):
        """The bound of one of two numbers. It grows only once at each place, so loops end."""
        if None in most or self._grown.setdefault(where, max(most)) != max(most):
            return None
        return max(most)

    def _join_whole(self, one, two, where):
        """one.kind <= two.kind < PART."""
        kinds = one.kind, two.kind
        sign = max(one.sign, two.sign)
        for value in (one, two):
            if value.kind == STK and value.const is not None and self.is_far(value.const):
                return bad(OUTSIDE)
        if kinds == (NUM, NUM):
            most = most_of(one), most_of(two)
            return num(None, max(sign, PLUS), self._most(most, where))
        if kinds == (STK, STK):
            return stack_index(max(sign, LOOSE))
        if kinds == (NUM, STK):
            return anything(POINTER, two.sign)
        if kinds == (NUM, ANY):
            return two
        if kinds in ((STK, ANY), (ANY, ANY)):
            org = POINTER if one.kind == STK else one.org
            const = one.const or 0, two.const
            if org == two.org and const[0] != const[1]:
                sign = max(sign, LOOSE)
            return anything(self._either(org, two.org, where), sign, min(*const, 0))
        if kinds in ((STK, DIFF), (ANY, DIFF)):
            org = POINTER if one.kind == STK else one.org
            return anything(self._either(org, two.org, where), max(one.sign, MIXED))
        if kinds == (DIFF, DIFF):
            return make(DIFF, None, NONE, self._either(one.org, two.org, where),
                        self._either(one.other, two.other, (where, "other")))
        if kinds == (NEG, NEG):
            return make(NEG, None, NONE, self._either(one.org, two.org, where))
        if one.kind == NUM:
            return two
        if two.kind == NEG and one.kind in (ANY, DIFF) and two.org not in self.pointers:
            return anything(self._either(one.org, two.org, where), MINUS)
        return bad(UNCLEAR)

    # --- Origins of addresses ----------------------------------------------

    def made_of(self, orgs):
        """The origins of values that may be, or may be made from, values of some origins."""
        found, changed = set(orgs), True
        made = [(org, parts) for org, parts in self.choices.items()]
        made += [(org, (one, two)) for org, one, two in self.sums]
        while changed:
            more = {org for org, parts in made if not found.isdisjoint(parts)} - found
            found |= more
            changed = bool(more)
        return found

    def settle(self, used):
        """The origins of addresses, if values of the origins @used were used as addresses.

        If a value that is one of several was used as an address, each of them is one. A
        value that may come from an address may be one.
        """
        found, todo = set(), list(used)
        while todo:
            org = todo.pop()
            if org not in found:
                found.add(org)
                todo += self.choices.get(org, ())
        # If two values make up an address, one of them is an address: in doubt, both.
        for org, one, two in self.sums:
            if org in found and found.isdisjoint((one, two)) and \
                    self.pointers.isdisjoint((one, two)):
                return self.settle(found | {one, two})
        made = [(org, parts) for org, parts in self.choices.items()]
        made += [(org, (one, two)) for org, one, two in self.sums]
        found |= self.pointers
        changed = True
        while changed:
            changed = False
            for org, parts in made:
                if org not in found and not found.isdisjoint(parts):
                    found.add(org)
                    changed = True
        return found
