# SPDX-License-Identifier: GPL-2.0
"""Debug information about the functions of a file, as far as the checker needs it.

Variables with a fixed place in the frame are objects: other code may have their address.
A variable is a number if its type holds neither an address nor an integer of that size.
Parameters tell which registers hold addresses at entry.
"""

from .dwarf import AT_ABSTRACT_ORIGIN, AT_ALIGNMENT, AT_COMP_DIR, AT_FRAME_BASE, AT_HIGH_PC, \
    AT_LOCATION, AT_LOW_PC, AT_NAME, AT_PRODUCER, AT_RANGES, AT_SIBLING, AT_TYPE, FORM_ADDR, \
    FORM_EXPRLOC, FORM_SEC_OFFSET, TAG_FORMAL, TAG_INLINED, TAG_LEXICAL_BLOCK, TAG_SUBPROGRAM, \
    TAG_SUBROUTINE_TYPE, TAG_VARIABLE, sleb, uleb
from .kinds import Kinds
from .prototypes import INDIRECT, Prototypes

# With one of these flags a variable exists from the beginning of its scope, and does not
# share its place with anything unnamed, such as a compound literal.
SEPARATE = "-ftrivial-auto-var-init=zero", "-ftrivial-auto-var-init=pattern", \
    "-fstack-reuse=none"

# DWARF's numbers of the registers, by the machine's numbers.
REGISTERS = (0, 2, 1, 3, 6, 7, 4, 5) + tuple(range(8, 16))


class Variable:
    """The bytes of a variable in the frame. @plain: its type has no room for an address;
    @alone: it shares its place with nothing unnamed; @aligned: its author has requested the
    alignment of an address, as for room for an object. @ranges are (section, from, to) of
    its scope, or None for the whole function; @scope names the scopes that enclose it."""

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
        """Words that only partly belong to the variable: no address of it is there."""
        return {word for word in (self.first & ~7, (self.end - 1) & ~7)
                if word < self.first or word + 8 > self.end}

    def is_outside(self, other):
        """Whether the scope of this variable encloses that of another. If both have the same
        place, the compiler knows that this one is not used until the other's scope ends."""
        return len(self.scope) < len(other.scope) and \
            other.scope[:len(self.scope)] == self.scope

    def covers(self, place):
        """Whether a place in the text is in the variable's scope."""
        return self.ranges is None or any(section == place[0] and start <= place[1] < end
                                          for section, start, end in self.ranges)


class FunctionInfo:
    """What is known of a function.

    @objects are variables with a fixed place in the frame, @lowest those whose place counts
    from the stack pointer below the frame, @spilled those that are in the frame for a while;
    @complete: the place of every variable was understood.
    """

    def __init__(self):
        self.objects, self.lowest, self.spilled, self.pointers = [], [], [], set()
        self.complete = True
        self.results = 2


class DebugInfo(Kinds):
    """The functions of a file. Without debug information nothing is known of them."""

    def __init__(self, obj):
        super().__init__(obj)
        self._functions = {}
        self._prototypes = Prototypes(self)
        self.prototypes = self._prototypes.by_name
        self.directories = set()        # directories in which units were compiled
        self.separate = set()   # units whose variables do not share their places with unnamed objects
        for unit in self.units:
            self._read_top(unit)

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
                self._prototypes.note_indirect(unit, start)
            if size is not None and not children:
                at += size
                continue
            for name, form, _ in forms:
                if name == AT_SIBLING:
                    sibling = self.reference(unit, (form, at, 0))
                at = self.skip_form(form, at)
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
            self._prototypes.note(unit, name, found, at if children else None)
        if not children:
            return at
        if AT_SIBLING in found:
            return self.reference(unit, found[AT_SIBLING])
        return self.end_of(unit, at)

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
        info.results = self._prototypes.results(unit, origin)
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
            for start, expression in self.location_list(unit, self.offset(at)):
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
            # The place counts from the frame pointer of a frame that is aligned by hand.
            info.complete &= into is not info.objects
            return
        offset, end = sleb(expression, 1)
        size = self.size(unit, kind)
        if end != len(expression) or not size:
            info.complete &= into is info.spilled
            return
        variable = Variable(name, offset + (8 if expression[0] == 0x91 else 0), size)
        variable.ranges, variable.scope = ranges, scope
        variable.chars = self.is_chars(unit, kind)
        variable.aligned = AT_ALIGNMENT in origin and self.number(origin[AT_ALIGNMENT]) >= 8
        variable.plain = self.is_numeric(unit, kind) and \
            (AT_ALIGNMENT not in origin or self.is_numbers(unit, kind))
        variable.alone = unit in self.separate
        into.append(variable)
