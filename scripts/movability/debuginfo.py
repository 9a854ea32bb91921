# SPDX-License-Identifier: GPL-2.0
"""What DWARF (4 or 5) says of the functions of a file, as far as the checker asks.

Variables with one place in the frame are objects: others may have their address. Those
of a type that holds neither an address nor an integer of its size are numbers.
Parameters tell which registers hold addresses at entry. Declarations tell how many
arguments a function takes, and whether it returns.

Debug information is large and little of it is wanted, so nothing is decoded twice and
what is not asked for is skipped by its size.
"""

import struct

TAG_ARRAY, TAG_CLASS, TAG_ENUM, TAG_FORMAL, TAG_LEXICAL_BLOCK = 0x01, 0x02, 0x04, 0x05, 0x0b
TAG_MEMBER, TAG_POINTER, TAG_STRUCT, TAG_TYPEDEF, TAG_UNION = 0x0d, 0x0f, 0x13, 0x16, 0x17
TAG_UNSPECIFIED_PARAMETERS, TAG_INLINED, TAG_SUBRANGE, TAG_BASE = 0x18, 0x1d, 0x21, 0x24
TAG_CONST, TAG_SUBPROGRAM, TAG_VARIABLE, TAG_VOLATILE, TAG_RESTRICT = 0x26, 0x2e, 0x34, 0x35, 0x37
TAG_SUBROUTINE_TYPE, TAG_ATOMIC = 0x15, 0x47
QUALIFIERS = (TAG_TYPEDEF, TAG_CONST, TAG_VOLATILE, TAG_RESTRICT, TAG_ATOMIC)

AT_SIBLING, AT_LOCATION, AT_NAME, AT_BYTE_SIZE, AT_LOW_PC, AT_HIGH_PC = 1, 2, 3, 0xb, 0x11, 0x12
AT_UPPER_BOUND, AT_ABSTRACT_ORIGIN, AT_COUNT, AT_DATA_MEMBER, AT_DECLARATION = \
    0x2f, 0x31, 0x37, 0x38, 0x3c
AT_ENCODING, AT_FRAME_BASE, AT_SPECIFICATION, AT_TYPE, AT_RANGES = 0x3e, 0x40, 0x47, 0x49, 0x55
AT_NORETURN, AT_ALIGNMENT, AT_BIT_SIZE = 0x87, 0x88, 0x0d

AT_COMP_DIR, AT_PRODUCER = 0x1b, 0x25

FORM_ADDR, FORM_STRING, FORM_SDATA, FORM_STRP, FORM_UDATA, FORM_SEC_OFFSET, FORM_EXPRLOC, \
    FORM_LINE_STRP, FORM_IMPLICIT = 0x01, 0x08, 0x0d, 0x0e, 0x0f, 0x17, 0x18, 0x1f, 0x21
FIXED = {0x01: 8, 0x05: 2, 0x06: 4, 0x07: 8, 0x0b: 1, 0x0c: 1, 0x0e: 4, 0x10: 4, 0x11: 1,
         0x12: 2, 0x13: 4, 0x14: 8, 0x17: 4, 0x19: 0, 0x1e: 16, 0x1f: 4, 0x20: 8, 0x21: 0,
         0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4}
REFERENCES = (0x11, 0x12, 0x13, 0x14, 0x15)

# Compiled with one of these a variable is there from where its scope begins, and shares
# its place with nothing that has no name, like a compound literal.
SEPARATE = "-ftrivial-auto-var-init=zero", "-ftrivial-auto-var-init=pattern", \
    "-fstack-reuse=none"

# Of a larger structure that is returned nobody looks at the members.
LARGEST = 4096

# Stands for all that is called by a pointer, if some of it returns what is torn.
INDIRECT = "*"

# DWARF's numbers of the registers, in the order of the machine's.
REGISTERS = (0, 2, 1, 3, 6, 7, 4, 5) + tuple(range(8, 16))


def uleb(data, at):
    """(value, offset after it)."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def sleb(data, at):
    """(value, offset after it), signed."""
    start = at
    value, at = uleb(data, at)
    bits = 7 * (at - start)
    return (value - (1 << bits) if value >> (bits - 1) & 1 else value), at


class Variable:
    """Bytes of the frame that a variable has. @plain: its type has no room for an address;
    @alone: it shares its place with nothing that has no name; @aligned: its author has asked for
    the alignment of an address, as for room for an object. @ranges are (section, from, to) of
    its scope, or None for the whole function; @scope names the scopes that it is in."""

    __slots__ = ("name", "first", "end", "alone", "plain", "chars", "aligned", "ranges", "scope")

    def __init__(self, name, first, size):
        self.name, self.first, self.end = name, first, first + size
        self.alone = self.plain = self.chars = self.aligned = False
        self.ranges, self.scope = None, ()

    def moved(self, offset):
        """The same variable at another place."""
        other = Variable(self.name, self.first + offset, self.end - self.first)
        other.alone, other.plain, other.aligned = self.alone, self.plain, self.aligned
        other.chars, other.ranges, other.scope = self.chars, self.ranges, self.scope
        return other

    def edges(self):
        """Words that are only in part the variable's: no address of it is there."""
        return {word for word in (self.first & ~7, (self.end - 1) & ~7)
                if word < self.first or word + 8 > self.end}

    def is_outside(self, other):
        """Whether the scope of this one encloses that of another. Where they have the same
        place, the compiler has seen that this one is not in use before the other's ends."""
        return len(self.scope) < len(other.scope) and \
            other.scope[:len(self.scope)] == self.scope

    def covers(self, place):
        """Whether a place of the text is in its scope."""
        return self.ranges is None or any(section == place[0] and start <= place[1] < end
                                          for section, start, end in self.ranges)


class FunctionInfo:
    """What is known of one function.

    @objects are variables with a place in the frame, @lowest those whose place counts from
    the stack pointer below it, @spilled those that are there for a while; @complete: there
    is no variable whose place was not understood.
    """

    def __init__(self):
        self.objects, self.lowest, self.spilled, self.pointers = [], [], [], set()
        self.complete = True
        self.results = 2


class Prototype:
    """@arguments in registers, or None if that is not known; @keepers are those by which
    addresses may come to be where they point: of something with room for addresses, or of
    nobody knows what, like void *. @named are told, and @rest: so are those behind them.
    @returned: so is what is returned, by way of an address that the caller gives; @torn: and
    a word of it nobody may write as a whole. @results: how many registers that takes."""

    __slots__ = ("arguments", "keepers", "named", "rest", "noreturn", "results", "returned",
                 "torn")

    def __init__(self):
        self.arguments, self.keepers, self.named, self.results = 0, set(), 0, 2
        self.rest, self.noreturn, self.returned, self.torn = False, False, False, False

    def keeps(self, number):
        """Whether addresses may come to be where an argument points."""
        return number in self.keepers or self.returned or self.rest and number >= self.named


class Unit:
    """A compilation unit."""

    __slots__ = ("start", "end", "first", "version", "abbrevs", "base")

    def __init__(self, start, end, first, version, abbrevs):
        self.start, self.end, self.first = start, end, first
        self.version, self.abbrevs = version, abbrevs
        self.base = None


class DebugInfo:
    """The debug information of a file; without any, nothing is known."""

    def __init__(self, obj):
        self.obj = obj
        self.prototypes = {}
        self._functions = {}
        self._numeric = {}
        self.directories = set()        # that units were compiled in
        self.separate = set()   # units whose variables share no place with what was before
        self._abbrevs = {}
        section = obj.by_name.get(".debug_info")
        self.data = section.data if section else b""
        self._section = section.index if section else 0
        if section and section.flags & 0x800:
            self.data = b""
        self._relocs = section.relocs if self.data else {}
        self.units = []
        at = 0
        while at + 12 < len(self.data):
            at = self._read_unit(at)

    # --- Reading -----------------------------------------------------------

    def _read_unit(self, at):
        length, version = struct.unpack_from("<IH", self.data, at)
        end = at + 4 + length
        if length >= 0xfffffff0 or version not in (4, 5):
            return len(self.data)
        field, first = (at + 8, at + 12) if version == 5 else (at + 6, at + 11)
        kind = self.data[at + 6] if version == 5 else 1
        if kind == 1:
            unit = Unit(at, end, first, version, self._read_abbrevs(self._offset(field)))
            self.units.append(unit)
            self._read_top(unit)
        return end

    def _offset(self, at):
        """A field of four bytes that is an offset in another section."""
        reloc = self._relocs.get(at)
        if reloc is None:
            return struct.unpack_from("<I", self.data, at)[0]
        return self.obj.symbols[reloc[1]].value + reloc[2]

    def _read_abbrevs(self, at):
        if at in self._abbrevs:
            return self._abbrevs[at]
        data = self.obj.by_name[".debug_abbrev"].data
        table, start = {}, at
        while True:
            code, at = uleb(data, at)
            if not code:
                break
            tag, at = uleb(data, at)
            children = data[at]
            at += 1
            forms, size = [], 0
            while True:
                name, at = uleb(data, at)
                form, at = uleb(data, at)
                const = 0
                if form == FORM_IMPLICIT:
                    const, at = sleb(data, at)
                if not name and not form:
                    break
                forms.append((name, form, const))
                if size is not None:
                    size = size + FIXED[form] if form in FIXED else None
            table[code] = tag, children, forms, size
        self._abbrevs[start] = table
        return table

    def _skip_form(self, form, at):
        data = self.data
        if form in FIXED:
            return at + FIXED[form]
        if form in (FORM_SDATA, FORM_UDATA, 0x15, 0x1a, 0x1b, 0x22, 0x23):
            while data[at] >= 128:
                at += 1
            return at + 1
        if form == FORM_STRING:
            return data.index(b"\0", at) + 1
        if form in (FORM_EXPRLOC, 0x09):
            size, at = uleb(data, at)
            return at + size
        if form == 0x0a:
            return at + 1 + data[at]
        if form == 0x03:
            return at + 2 + struct.unpack_from("<H", data, at)[0]
        if form == 0x04:
            return at + 4 + struct.unpack_from("<I", data, at)[0]
        raise ValueError(f"form {form:#x}")

    def die(self, unit, at):
        """(tag, has children, {attribute: (form, offset, constant)}, offset after it)."""
        code, at = uleb(self.data, at)
        if not code:
            return 0, 0, {}, at
        tag, children, forms, _ = unit.abbrevs[code]
        found = {}
        for name, form, const in forms:
            found[name] = form, at, const
            at = self._skip_form(form, at)
        return tag, children, found, at

    def number(self, attribute):
        """A constant."""
        form, at, const = attribute
        if form == FORM_IMPLICIT:
            return const
        if form == 0x19:
            return 1
        if form == FORM_SDATA:
            return sleb(self.data, at)[0]
        if form in (FORM_UDATA, 0x15):
            return uleb(self.data, at)[0]
        size = FIXED.get(form, 0)
        return int.from_bytes(self.data[at:at + size], "little")

    def reference(self, unit, attribute):
        """The offset of another entry, or None."""
        form = attribute[0]
        if form in REFERENCES:
            return unit.start + self.number(attribute)
        if form == 0x10:
            return self._offset(attribute[1])
        return None

    def string(self, attribute):
        """A name."""
        form, at, _ = attribute
        data = self.data
        if form in (FORM_STRP, FORM_LINE_STRP):
            at = self._offset(at)
            name = ".debug_str" if form == FORM_STRP else ".debug_line_str"
            data = self.obj.by_name[name].data
        elif form != FORM_STRING:
            return ""
        return data[at:data.index(b"\0", at)].decode(errors="replace")

    def place(self, attribute):
        """The place in the text that an address names."""
        reloc = self._relocs.get(attribute[1])
        if attribute[0] != FORM_ADDR or reloc is None:
            return None
        symbol = self.obj.symbols[reloc[1]]
        return symbol.section, symbol.value + reloc[2]

    def children(self, unit, at):
        """(offset, tag, attributes) of the entries right below the one that ends at @at."""
        depth = 0
        while True:
            start = at
            tag, has_children, found, at = self.die(unit, at)
            if not tag:
                if not depth:
                    return
                depth -= 1
                continue
            if not depth:
                yield start, tag, found, at if has_children else None
            if has_children:
                if AT_SIBLING in found:
                    at = self.reference(unit, found[AT_SIBLING])
                else:
                    depth += 1

    # --- The functions of a unit ---------------------------------------------

    def _read_top(self, unit):
        _, children, found, at = self.die(unit, unit.first)
        if AT_LOW_PC in found:
            unit.base = self.place(found[AT_LOW_PC])
        if AT_COMP_DIR in found:
            self.directories.add(self.string(found[AT_COMP_DIR]))
        if AT_PRODUCER in found and any(flag in self.string(found[AT_PRODUCER])
                                        for flag in SEPARATE):
            self.separate.add(unit)
        if not children:
            return
        data, abbrevs, depth = self.data, unit.abbrevs, 0
        while at < unit.end:
            start = at
            code, at = uleb(data, at)
            if not code:
                depth -= 1
                if depth < 0:
                    break
                continue
            tag, children, forms, size = abbrevs[code]
            if tag == TAG_SUBPROGRAM and not depth:
                at = self._read_subprogram(unit, start)
                continue
            sibling = None
            if tag == TAG_SUBROUTINE_TYPE and INDIRECT not in self.prototypes:
                self._note_indirect(unit, start)
            if size is not None and not children:
                at += size
                continue
            for name, form, _ in forms:
                if name == AT_SIBLING:
                    sibling = self.reference(unit, (form, at, 0))
                at = self._skip_form(form, at)
            if children:
                if sibling is not None:
                    at = sibling
                else:
                    depth += 1

    def _read_subprogram(self, unit, start):
        _, children, found, at = self.die(unit, start)
        places = []
        if AT_LOW_PC in found:
            places = [self.place(found[AT_LOW_PC])]
        elif AT_RANGES in found:
            places = [(section, first) for section, first, _ in
                      self.ranges(unit, found[AT_RANGES]) or ()]
        for place in places:
            if place is not None:
                self._functions[place] = unit, start
        name = self.string(found[AT_NAME]) if AT_NAME in found else ""
        if name:
            self._note_prototype(unit, name, found, at if children else None)
        if not children:
            return at
        if AT_SIBLING in found:
            return self.reference(unit, found[AT_SIBLING])
        return self._end_of(unit, at)

    def _end_of(self, unit, at):
        depth = 0
        while depth >= 0:
            tag, children, found, at = self.die(unit, at)
            if not tag:
                depth -= 1
            elif children:
                if AT_SIBLING in found:
                    at = self.reference(unit, found[AT_SIBLING])
                else:
                    depth += 1
        return at

    def _note_prototype(self, unit, name, found, at):
        known = self.prototypes.get(name)
        proto = Prototype()
        proto.noreturn = AT_NORETURN in found
        proto.results = self._results(unit, found)
        if proto.results and self._stripped(unit, self.reference(unit, found[AT_TYPE]))[0] in \
                (TAG_STRUCT, TAG_UNION):
            proto.arguments, proto.returned = None, True
            proto.torn = self._is_torn(unit, self.reference(unit, found[AT_TYPE]))
        if at is not None:
            self._note_arguments(unit, proto, at)
        if known is not None:
            # There may be functions of the same name in different files.
            proto.keepers |= known.keepers
            proto.rest |= known.rest
            proto.returned |= known.returned
            proto.torn |= known.torn
            proto.results = max(proto.results, known.results)
            if known.arguments != proto.arguments:
                proto.arguments, proto.rest = None, True
                proto.named = min(proto.named, known.named)
                proto.noreturn &= known.noreturn
        self.prototypes[name] = proto

    def _note_arguments(self, unit, proto, at):
        format_text = False
        for _, tag, attributes, _ in self.children(unit, at):
            if tag == TAG_UNSPECIFIED_PARAMETERS:
                # What a text tells the types of is printed, or numbers are read to there.
                proto.arguments, proto.rest = None, not format_text
            elif tag == TAG_FORMAL and proto.arguments is not None:
                words = self._words_of(unit, attributes)
                if words == 1 and self._is_keeper(unit, attributes):
                    proto.keepers.add(proto.arguments)
                format_text = words == 1 and self._is_text(unit, attributes)
                proto.rest |= words is None
                proto.arguments = None if words is None else proto.arguments + words
                proto.named += words or 0

    def _note_indirect(self, unit, start):
        """A type of functions that are called by a pointer."""
        found = self.die(unit, start)[2]
        if AT_TYPE in found:
            kind = self.reference(unit, found[AT_TYPE])
            if self._stripped(unit, kind)[0] in (TAG_STRUCT, TAG_UNION) and \
                    self._is_torn(unit, kind):
                self.prototypes[INDIRECT] = proto = Prototype()
                proto.torn = True

    def _results(self, unit, found):
        """In how many registers a function returns what it does."""
        if AT_TYPE not in found:
            return 0
        tag, kind, _ = self._stripped(unit, self.reference(unit, found[AT_TYPE]))
        if tag in (TAG_POINTER, TAG_ENUM) or \
                tag == TAG_BASE and self.number(kind[AT_BYTE_SIZE]) <= 8:
            return 1
        return 2

    def _is_keeper(self, unit, attributes):
        """Whether an argument is the address of what has room for addresses, or may have; or
        a number that an address fits in."""
        tag, found, _ = self._stripped(unit, self.reference(unit, attributes[AT_TYPE]))
        if tag != TAG_POINTER:
            return tag == TAG_BASE and self.number(found[AT_BYTE_SIZE]) == 8
        if AT_TYPE not in found:
            return True         # void *
        pointee = self.reference(unit, found[AT_TYPE])
        tag, _, _ = self._stripped(unit, pointee)
        return not self.is_numeric(unit, pointee) if tag else not self._is_const(unit, pointee)

    def _is_const(self, unit, at):
        """Whether a type is const, by one of its names."""
        while at is not None:
            tag, _, found, _ = self.die(unit, at)
            if tag == TAG_CONST:
                return True
            if tag not in QUALIFIERS or AT_TYPE not in found:
                return False
            at = self.reference(unit, found[AT_TYPE])
        return False

    def _is_text(self, unit, attributes):
        """Whether an argument is the address of constant characters."""
        tag, found, _ = self._stripped(unit, self.reference(unit, attributes[AT_TYPE]))
        if tag != TAG_POINTER or AT_TYPE not in found:
            return False
        pointee = self.reference(unit, found[AT_TYPE])
        return self._is_const(unit, pointee) and self._element_size(unit, pointee) == 1

    def _words_of(self, unit, attributes):
        """How many registers an argument takes; None if that is not plain."""
        if AT_TYPE not in attributes:
            return None
        tag, found, _ = self._stripped(unit, self.reference(unit, attributes[AT_TYPE]))
        if tag in (TAG_POINTER, TAG_ENUM):
            return 1
        if tag == TAG_BASE:
            size = self.number(found[AT_BYTE_SIZE]) if AT_BYTE_SIZE in found else 99
            return 1 if size <= 8 and self.number(found[AT_ENCODING]) != 4 else None
        return None

    # --- Types -------------------------------------------------------------

    def _stripped(self, unit, at):
        """(tag, attributes, offset of the children) without names and qualifiers."""
        while at is not None:
            tag, children, found, end = self.die(unit, at)
            if tag not in QUALIFIERS:
                return tag, found, end if children else None
            if AT_TYPE not in found:
                break
            at = self.reference(unit, found[AT_TYPE])
        return 0, {}, None

    def is_pointer(self, unit, at):
        """Whether values of a type are addresses."""
        return self._stripped(unit, at)[0] == TAG_POINTER

    def size(self, unit, at):
        """Bytes of a type, 0 if unknown."""
        tag, found, children = self._stripped(unit, at)
        if AT_BYTE_SIZE in found:
            return self.number(found[AT_BYTE_SIZE])
        if tag == TAG_POINTER:
            return 8
        if tag == TAG_ARRAY and children is not None:
            total = self.size(unit, self.reference(unit, found[AT_TYPE]))
            for _, kind, bounds, _ in self.children(unit, children):
                if kind == TAG_SUBRANGE:
                    if AT_UPPER_BOUND in bounds and bounds[AT_UPPER_BOUND][0] != FORM_EXPRLOC:
                        total *= self.number(bounds[AT_UPPER_BOUND]) + 1
                    elif AT_COUNT in bounds and bounds[AT_COUNT][0] != FORM_EXPRLOC:
                        total *= self.number(bounds[AT_COUNT])
                    else:
                        return 0
            return total
        return 0

    def is_numeric(self, unit, at):
        """Whether a type has no room for an address, and nobody asked to align it as if
        it had: such arrays of characters are often used for something else."""
        if at not in self._numeric:
            self._numeric[at] = False       # a type that holds itself has addresses
            self._numeric[at] = self._find_numeric(unit, at)
        return self._numeric[at]

    def _find_numeric(self, unit, at):
        while True:
            tag, children, found, end = self.die(unit, at)
            if AT_ALIGNMENT in found:
                return False
            if tag not in QUALIFIERS:
                break
            if AT_TYPE not in found:
                return False
            at = self.reference(unit, found[AT_TYPE])
        if tag == TAG_BASE:
            return self.number(found[AT_BYTE_SIZE]) <= 4 or self.number(found[AT_ENCODING]) == 4
        if tag == TAG_ENUM:
            return AT_BYTE_SIZE in found and self.number(found[AT_BYTE_SIZE]) <= 4
        if tag == TAG_ARRAY:
            return self.is_numeric(unit, self.reference(unit, found[AT_TYPE]))
        if tag not in (TAG_STRUCT, TAG_UNION) or not children:
            return False
        members = 0
        for _, kind, member, _ in self.children(unit, end):
            if kind != TAG_MEMBER:
                continue
            members += 1
            if AT_TYPE not in member or AT_ALIGNMENT in member or \
                    not self.is_numeric(unit, self.reference(unit, member[AT_TYPE])):
                return False
        return members > 0

    def _is_torn(self, unit, at):
        """Whether a structure that is returned in memory has a word of which members are
        only a part, beyond its low 16 bits. In doubt it has."""
        size = self.size(unit, at)
        if size <= 16:
            return False        # in registers, unless it is packed
        written, used = set(), set()
        if size > LARGEST or not self._note_bytes(unit, at, 0, written, used):
            return True
        return any(offset & 7 >= 2 and
                   not written.issuperset(range(offset & ~7, min((offset & ~7) + 8, size)))
                   for offset in used)

    def _note_bytes(self, unit, at, offset, written, used):
        """The bytes that members of a type have, and those that are surely written with it;
        False if that is not known."""
        tag, found, children = self._stripped(unit, at)
        size = self.size(unit, at)
        if tag in (TAG_BASE, TAG_ENUM, TAG_POINTER) and size:
            written.update(range(offset, offset + size))
            used.update(range(offset, offset + size))
            return True
        if tag == TAG_ARRAY:
            element = self.reference(unit, found[AT_TYPE])
            step = self.size(unit, element)
            return bool(step) and all(self._note_bytes(unit, element, first, written, used)
                                      for first in range(offset, offset + size, step))
        if tag not in (TAG_STRUCT, TAG_UNION) or children is None:
            return tag == TAG_STRUCT and not size
        every = []
        for _, kind, member, _ in self.children(unit, children):
            if kind != TAG_MEMBER:
                continue
            if AT_TYPE not in member or AT_BIT_SIZE in member:
                return False
            first = offset
            if AT_DATA_MEMBER in member:
                if member[AT_DATA_MEMBER][0] == FORM_EXPRLOC:
                    return False
                first += self.number(member[AT_DATA_MEMBER])
            every.append(set())
            if not self._note_bytes(unit, self.reference(unit, member[AT_TYPE]), first,
                                    every[-1], used):
                return False
        if every:
            written |= set.intersection(*every) if tag == TAG_UNION else set.union(*every)
        return True

    def _element_size(self, unit, at):
        """Of an array of integers, or of an integer; 0 of anything else."""
        tag, found, _ = self._stripped(unit, at)
        while tag == TAG_ARRAY:
            tag, found, _ = self._stripped(unit, self.reference(unit, found[AT_TYPE]))
        return self.number(found[AT_BYTE_SIZE]) if tag == TAG_BASE else 0

    def _is_chars(self, unit, at):
        return self._stripped(unit, at)[0] == TAG_ARRAY and self._element_size(unit, at) == 1

    def _is_numbers(self, unit, at):
        """Whether a type is what nobody uses for something else: no characters."""
        return self._element_size(unit, at) > 1

    # --- One function ------------------------------------------------------

    def function(self, place):
        """FunctionInfo of the function at a place, or None."""
        if place not in self._functions:
            return None
        unit, start = self._functions[place]
        _, children, found, at = self.die(unit, start)
        info = FunctionInfo()
        if AT_FRAME_BASE not in found or not children:
            return info if not children else None
        form, where, _ = found[AT_FRAME_BASE]
        if form != FORM_EXPRLOC or self.data[where:where + 2] != b"\x01\x9c":
            return None
        origin = found
        if AT_ABSTRACT_ORIGIN in found:
            origin = self.die(unit, self.reference(unit, found[AT_ABSTRACT_ORIGIN]))[2]
        info.results = self._results(unit, origin)
        self._collect(unit, at, info, place, None, ())
        return info

    def _collect(self, unit, at, info, place, ranges, scope):
        for start, tag, found, below in self.children(unit, at):
            if tag in (TAG_VARIABLE, TAG_FORMAL):
                self._note_variable(unit, found, info, place, ranges, scope,
                                    not scope and tag == TAG_FORMAL)
            elif tag in (TAG_LEXICAL_BLOCK, TAG_INLINED) and below is not None:
                inner = self._scope(unit, found)
                self._collect(unit, below, info, place, ranges if inner is None else inner,
                              scope if inner is None else scope + (start,))

    def _scope(self, unit, found):
        if AT_RANGES in found:
            return self.ranges(unit, found[AT_RANGES])
        if AT_LOW_PC in found and AT_HIGH_PC in found:
            start = self.place(found[AT_LOW_PC])
            if start is not None and found[AT_HIGH_PC][0] != FORM_ADDR:
                return [(start[0], start[1], start[1] + self.number(found[AT_HIGH_PC]))]
        return None

    def _note_variable(self, unit, found, info, place, ranges, scope, parameter):
        if AT_LOCATION not in found:
            return
        origin = found
        while AT_TYPE not in origin and AT_ABSTRACT_ORIGIN in origin:
            origin = self.die(unit, self.reference(unit, origin[AT_ABSTRACT_ORIGIN]))[2]
        if AT_TYPE not in origin:
            return
        kind = self.reference(unit, origin[AT_TYPE])
        name = self.string(origin[AT_NAME]) if AT_NAME in origin else ""
        form, at, _ = found[AT_LOCATION]
        if form == FORM_EXPRLOC:
            size, at = uleb(self.data, at)
            self._note_place(unit, info, self.data[at:at + size], name, kind, ranges, scope,
                             info.objects, origin)
            if parameter and self.data[at] in range(0x50, 0x60) and size == 1 and \
                    self.is_pointer(unit, kind):
                info.pointers.add(REGISTERS[self.data[at] - 0x50])
        elif form == FORM_SEC_OFFSET and unit.version == 5:
            for start, expression in self._location_list(unit, self._offset(at)):
                if parameter and start == place and len(expression) == 1 and \
                        expression[0] in range(0x50, 0x60) and self.is_pointer(unit, kind):
                    info.pointers.add(REGISTERS[expression[0] - 0x50])
                self._note_place(unit, info, expression, name, kind, ranges, scope,
                                 info.spilled, origin)
        else:
            info.complete = False

    def _note_place(self, unit, info, expression, name, kind, ranges, scope, into, origin):
        if not expression or expression[0] not in range(0x70, 0x92):
            return
        if expression[0] == 0x77 and into is info.objects:
            into = info.lowest
        elif expression[0] != 0x91:
            # By the frame pointer of a frame that is aligned by hand.
            info.complete &= into is not info.objects
            return
        offset, end = sleb(expression, 1)
        size = self.size(unit, kind)
        if end != len(expression) or not size:
            info.complete &= into is info.spilled
            return
        variable = Variable(name, offset + (8 if expression[0] == 0x91 else 0), size)
        variable.ranges, variable.scope = ranges, scope
        variable.chars = self._is_chars(unit, kind)
        variable.aligned = AT_ALIGNMENT in origin and self.number(origin[AT_ALIGNMENT]) >= 8
        variable.plain = self.is_numeric(unit, kind) and \
            (AT_ALIGNMENT not in origin or self._is_numbers(unit, kind))
        variable.alone = unit in self.separate
        into.append(variable)

    # --- Lists -------------------------------------------------------------

    def _list_section(self, name):
        section = self.obj.by_name.get(name)
        return section if section is not None and section.data else None

    def _address_in(self, section, at):
        return self.obj.pointee(section.index, at)

    def _location_list(self, unit, at):
        """(first place, expression) of each entry."""
        section = self._list_section(".debug_loclists")
        if section is None:
            return
        data, base = section.data, unit.base
        while at < len(data):
            kind, at = data[at], at + 1
            start = None
            if kind == 4:
                first, at = uleb(data, at)
                _, at = uleb(data, at)
                start = (base[0], base[1] + first) if base else None
            elif kind == 6:
                base = self._address_in(section, at)
                at += 8
                continue
            elif kind == 7:
                start, at = self._address_in(section, at), at + 16
            elif kind == 8:
                start, at = self._address_in(section, at), at + 8
                _, at = uleb(data, at)
            elif kind != 5:
                return
            size, at = uleb(data, at)
            yield start, data[at:at + size]
            at += size

    def ranges(self, unit, attribute):
        """[(section, from, to)] of a list of ranges; None if it cannot be read."""
        section = self._list_section(".debug_rnglists")
        if section is None or unit.version != 5 or attribute[0] != FORM_SEC_OFFSET:
            return None
        data, at, base, found = section.data, self._offset(attribute[1]), unit.base, []
        while at < len(data):
            kind, at = data[at], at + 1
            if kind == 0:
                return found
            if kind == 4:
                first, at = uleb(data, at)
                end, at = uleb(data, at)
                if base is None:
                    return None
                found.append((base[0], base[1] + first, base[1] + end))
            elif kind == 5:
                base = self._address_in(section, at)
                at += 8
            elif kind == 6:
                start, end = self._address_in(section, at), self._address_in(section, at + 8)
                at += 16
                if start and end:
                    found.append((start[0], start[1], end[1]))
            elif kind == 7:
                start, at = self._address_in(section, at), at + 8
                length, at = uleb(data, at)
                if start:
                    found.append((start[0], start[1], start[1] + length))
            else:
                return None
        return None
