# SPDX-License-Identifier: GPL-2.0
"""Reads DWARF (4 or 5): units, entries, attributes, and lists of places in the text.

Debug information is large and only a small part of it is needed, so nothing is decoded
twice, and other entries are skipped by their size.
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


class Unit:
    """A compilation unit."""

    __slots__ = ("start", "end", "first", "version", "abbrevs", "base")

    def __init__(self, start, end, first, version, abbrevs):
        self.start, self.end, self.first = start, end, first
        self.version, self.abbrevs = version, abbrevs
        self.base = None


class Dwarf:
    """The debug information of a file; if it has none, there are no units."""

    def __init__(self, obj):
        self.obj = obj
        self._abbrevs = {}
        section = obj.by_name.get(".debug_info")
        self.data = section.data if section else b""
        if section and section.flags & 0x800:
            self.data = b""
        self._relocs = section.relocs if self.data else {}
        self.units = []
        at = 0
        while at + 12 < len(self.data):
            at = self._read_unit(at)

    # --- Entries -----------------------------------------------------------

    def _read_unit(self, at):
        length, version = struct.unpack_from("<IH", self.data, at)
        end = at + 4 + length
        if length >= 0xfffffff0 or version not in (4, 5):
            return len(self.data)
        field, first = (at + 8, at + 12) if version == 5 else (at + 6, at + 11)
        kind = self.data[at + 6] if version == 5 else 1
        if kind == 1:
            unit = Unit(at, end, first, version, self._read_abbrevs(self.offset(field)))
            self.units.append(unit)
        return end

    def offset(self, at):
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

    def skip_form(self, form, at):
        """The offset after an attribute of this form."""
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
            at = self.skip_form(form, at)
        return tag, children, found, at

    def children(self, unit, at):
        """(offset, tag, attributes) of the direct children of the entry that ends at @at."""
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

    def end_of(self, unit, at):
        """The offset after the children that begin at @at."""
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

    # --- Attributes --------------------------------------------------------

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
            return self.offset(attribute[1])
        return None

    def string(self, attribute):
        """A name."""
        form, at, _ = attribute
        data = self.data
        if form in (FORM_STRP, FORM_LINE_STRP):
            at = self.offset(at)
            name = ".debug_str" if form == FORM_STRP else ".debug_line_str"
            data = self.obj.by_name[name].data
        elif form != FORM_STRING:
            return ""
        return data[at:data.index(b"\0", at)].decode(errors="replace")

    def place(self, attribute):
        """The place in the text to which an address refers."""
        reloc = self._relocs.get(attribute[1])
        if attribute[0] != FORM_ADDR or reloc is None:
            return None
        symbol = self.obj.symbols[reloc[1]]
        return symbol.section, symbol.value + reloc[2]

    # --- Lists -------------------------------------------------------------

    def _list_section(self, name):
        section = self.obj.by_name.get(name)
        return section if section is not None and section.data else None

    def _address_in(self, section, at):
        return self.obj.pointee(section.index, at)

    def location_list(self, unit, at):
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
        data, at, base, found = section.data, self.offset(attribute[1]), unit.base, []
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
