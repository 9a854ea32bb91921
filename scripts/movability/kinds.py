# SPDX-License-Identifier: GPL-2.0
"""Types in DWARF: their sizes, and whether their values have room for addresses."""

from .dwarf import Dwarf, AT_ALIGNMENT, AT_BIT_SIZE, AT_BYTE_SIZE, AT_COUNT, AT_DATA_MEMBER, \
    AT_ENCODING, AT_TYPE, AT_UPPER_BOUND, FORM_EXPRLOC, QUALIFIERS, TAG_ARRAY, TAG_BASE, TAG_CONST, \
    TAG_ENUM, TAG_MEMBER, TAG_POINTER, TAG_STRUCT, TAG_SUBRANGE, TAG_UNION

# The members of a returned structure are examined only up to this size.
LARGEST = 4096


class Kinds(Dwarf):
    """The types of a file. A type is named by its unit and the offset of its entry."""

    def __init__(self, obj):
        super().__init__(obj)
        self._numeric = {}

    def stripped(self, unit, at):
        """(tag, attributes, offset of the children) of the type behind typedefs and qualifiers."""
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
        return self.stripped(unit, at)[0] == TAG_POINTER

    def is_const(self, unit, at):
        """Whether a type is const, directly or through a typedef."""
        while at is not None:
            tag, _, found, _ = self.die(unit, at)
            if tag == TAG_CONST:
                return True
            if tag not in QUALIFIERS or AT_TYPE not in found:
                return False
            at = self.reference(unit, found[AT_TYPE])
        return False

    def size(self, unit, at):
        """The size of a type in bytes, 0 if unknown."""
        tag, found, children = self.stripped(unit, at)
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

    def element_size(self, unit, at):
        """The size of an integer, or of the elements of an array of integers; otherwise 0."""
        tag, found, _ = self.stripped(unit, at)
        while tag == TAG_ARRAY:
            tag, found, _ = self.stripped(unit, self.reference(unit, found[AT_TYPE]))
        return self.number(found[AT_BYTE_SIZE]) if tag == TAG_BASE else 0

    def is_chars(self, unit, at):
        """Whether a type is an array of characters."""
        return self.stripped(unit, at)[0] == TAG_ARRAY and self.element_size(unit, at) == 1

    def is_numbers(self, unit, at):
        """Whether nobody uses values of a type as room for others: so no characters."""
        return self.element_size(unit, at) > 1

    # --- Room for an address -----------------------------------------------

    def is_numeric(self, unit, at):
        """Whether a type has no room for an address, and its alignment was not raised to that of
        an address: arrays of characters with that are often room for other objects."""
        if at not in self._numeric:
            self._numeric[at] = False       # a type that refers to itself has addresses
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

    # --- Words that are written in parts -----------------------------------

    def is_torn(self, unit, at):
        """Whether a structure that is returned in memory has a word which its members fill only
        partly, beyond the low 16 bits. In doubt, yes."""
        size = self.size(unit, at)
        if size <= 16:
            return False        # it is returned in registers, unless it is packed
        written, used = set(), set()
        if size > LARGEST or not self._note_bytes(unit, at, 0, written, used):
            return True
        return any(offset & 7 >= 2 and
                   not written.issuperset(range(offset & ~7, min((offset & ~7) + 8, size)))
                   for offset in used)

    def _note_bytes(self, unit, at, offset, written, used):
        """The bytes that the members of a type have, and those that are certainly written with
        it; False if that is not known."""
        tag, found, children = self.stripped(unit, at)
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
