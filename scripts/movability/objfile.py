# SPDX-License-Identifier: GPL-2.0
"""An ELF object or module: its functions, relocations, and the places that the kernel
patches.

A place in the file is a pair (section index, offset). All tables here are keyed by places,
because an object has no addresses yet.
"""

import bisect
import collections
import struct

from elftools.elf.elffile import ELFFile

SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 0x2, 0x4, 0x800
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION = 0, 1, 2, 3

R_64, R_PC32, R_PLT32, R_32, R_32S, R_PC64 = 1, 2, 4, 10, 11, 24
RELATIVE = {R_PC32: 4, R_PLT32: 4, R_PC64: 8}
WIDTHS = {R_64: 8, R_PC32: 4, R_PLT32: 4, R_32: 4, R_32S: 4, R_PC64: 8}

# The text in these is copied over other text, or is not a function of its own.
REPLACEMENTS = ".altinstr_replacement"

# Addresses of functions are written with this distance, so that they do not name an
# instruction. From Linux 6.2 on objtool takes a relocation to an instruction for an indirect
# branch, and complains that the function, which is usually static, has no ENDBR.
AWAY = 1 << 40

# COSTACK_TRUSTED() puts addresses of functions here.
TRUSTED = ".init.costack.trusted"

# The kernel rewrites calls of and jumps to these when it loads a module, and may replace the
# whole instruction. (__SCT__ is a static call.)
REWRITTEN = ("__x86_indirect_", "__x86_return_thunk", "__fentry__", "__SCT__", "mcount")

Reloc = collections.namedtuple("Reloc", "kind symbol addend")
Symbol = collections.namedtuple("Symbol", "name section value size kind glob")
Alternative = collections.namedtuple("Alternative", "length place repl_length")
Fixup = collections.namedtuple("Fixup", "place data")


class Section:
    """A section: its bytes, flags, and relocations by offset."""

    def __init__(self, index, elf_section):
        self.index = index
        self.name = elf_section.name
        self.flags = elf_section["sh_flags"]
        self.nobits = elf_section["sh_type"] == "SHT_NOBITS"
        self.size = elf_section["sh_size"]
        self._elf = elf_section
        self._data = None
        self.rela = None
        self._relocs = None
        self._offsets = None

    @property
    def data(self):
        """Its bytes."""
        if self._data is None:
            self._data = b"" if self.nobits else self._elf.data()
        return self._data

    @property
    def is_text(self):
        """Whether it has instructions."""
        return bool(self.flags & SHF_EXECINSTR)

    @property
    def relocs(self):
        """{offset: (kind, symbol number, addend)}."""
        if self._relocs is None:
            self._relocs = {}
            if self.rela is not None:
                for offset, info, addend in struct.iter_unpack("<QQq", self.rela.data()):
                    self._relocs[offset] = (info & 0xffffffff, info >> 32, addend)
        return self._relocs

    def relocated(self, start, end):
        """Offsets in [start, end) that have a relocation, in order."""
        if self._offsets is None:
            self._offsets = sorted(self.relocs)
        at = bisect.bisect_left(self._offsets, start)
        while at < len(self._offsets) and self._offsets[at] < end:
            yield self._offsets[at]
            at += 1


class ObjectFile:
    """What the checker needs of a file."""

    def __init__(self, path):
        self.path = path
        self._file = open(path, "rb")  # pylint: disable=consider-using-with
        elf = ELFFile(self._file)
        if elf["e_machine"] != "EM_X86_64" or elf["e_type"] != "ET_REL":
            raise ValueError(f"{path}: no relocatable file of x86-64")
        self.sections = [Section(i, s) for i, s in enumerate(elf.iter_sections())]
        for number, section in enumerate(elf.iter_sections()):
            if section["sh_type"] == "SHT_RELA":
                self.sections[section["sh_info"]].rela = section
            elif section["sh_type"] == "SHT_SYMTAB":
                self._read_symbols(section, elf.get_section(section["sh_link"]).data())
        self.by_name = {s.name: s for s in self.sections}
        self._read_functions()
        self.alternatives = collections.defaultdict(list)
        self.replacement_ends = {}
        self.dropped = collections.defaultdict(list)
        self.jumps = {}
        self.fixups = collections.defaultdict(list)
        self.bugs = {}
        self.paravirt = {}
        self.patched = collections.defaultdict(list)
        self._read_patch_sites()

    def close(self):
        """Closes the file; nothing more can be read."""
        self._file.close()

    def _read_symbols(self, table, names):
        self.symbols = []
        for name, info, _, index, value, size in struct.iter_unpack("<IBBHQQ", table.data()):
            end = names.index(b"\0", name)
            kind = info & 15
            text = names[name:end].decode(errors="replace")
            if kind == STT_SECTION and 0 < index < len(self.sections):
                text = self.sections[index].name
            self.symbols.append(Symbol(text, index if index < 0xff00 else 0, value, size, kind,
                                       info >> 4))

    def _read_functions(self):
        """The functions by place, and by section in order."""
        self.functions = {}
        for symbol in self.symbols:
            if symbol.kind != STT_FUNC or not symbol.section or not symbol.size:
                continue
            if not self.sections[symbol.section].is_text:
                continue
            # From Linux 6.2 on objtool names the padding before a function, which never runs.
            if symbol.name.startswith("__pfx_"):
                continue
            place = symbol.section, symbol.value
            known = self.functions.get(place)
            # If a function has several names, take a global one, which people know.
            if known is None or (symbol.glob and not known.glob):
                self.functions[place] = symbol
        self._starts = collections.defaultdict(list)
        for section, value in sorted(self.functions):
            self._starts[section].append(value)

    def function_at(self, place):
        """The function whose text includes a place, or None."""
        starts = self._starts.get(place[0], ())
        at = bisect.bisect_right(starts, place[1]) - 1
        if at < 0:
            return None
        function = self.functions[place[0], starts[at]]
        return function if place[1] < function.value + function.size else None

    def reloc(self, section, offset):
        """The relocation of a field, or None."""
        entry = self.sections[section].relocs.get(offset)
        if entry is None:
            return None
        return Reloc(entry[0], self.symbols[entry[1]], entry[2])

    def reloc_within(self, section, start, end):
        """[(offset, relocation)] of the fields in [start, end)."""
        return [(offset, self.reloc(section, offset))
                for offset in self.sections[section].relocated(start, end)]

    def pointee(self, section, offset):
        """The place to which a field of a table refers, or None if it is in no section."""
        reloc = self.reloc(section, offset)
        if reloc is None or not reloc.symbol.section:
            return None
        return reloc.symbol.section, reloc.symbol.value + reloc.addend

    def trusted(self):
        """Places of the functions for which the author vouches."""
        section = self.by_name.get(TRUSTED)
        if section is None:
            return set()
        places = (self.pointee(section.index, offset) for offset in section.relocs)
        return {(place[0], place[1] - AWAY) for place in places if place}

    # --- Places that the kernel patches -----------------------------------

    def _table(self, name):
        section = self.by_name.get(name)
        return section if section is not None and section.data else None

    def _entries(self, name, size):
        """(section index, offset) of each entry of a table."""
        section = self._table(name)
        if section is not None:
            for offset in range(0, len(section.data) - size + 1, size):
                yield section.index, offset

    def _read_patch_sites(self):
        self._read_alternatives()
        for index, offset in self._entries("__jump_table", 16):
            code, target = self.pointee(index, offset), self.pointee(index, offset + 4)
            if code and target:
                self.jumps[code] = target
                self.patched[code[0]].append((code[1], 0))
        self._read_fixups()
        size = 12 if self._bug_entry_is_verbose() else 6
        for index, offset in self._entries("__bug_table", size):
            place = self.pointee(index, offset)
            if place:
                flags = struct.unpack_from("<H", self.sections[index].data, offset + size - 2)[0]
                self.bugs[place] = flags
        for index, offset in self._entries(".parainstructions", 16):
            place = self.pointee(index, offset)
            if place:
                length = self.sections[index].data[offset + 9]
                self.paravirt[place] = length
                self.patched[place[0]].append((place[1], length))
        for name, size, length in ((".retpoline_sites", 4, 0), (".return_sites", 4, 0),
                                   (".call_sites", 4, 0), (".ibt_endbr_seal", 4, 4),
                                   (".static_call_sites", 8, 0), ("__mcount_loc", 8, 0),
                                   (".cfi_sites", 4, 0), (".smp_locks", 4, 1)):
            for index, offset in self._entries(name, size):
                place = self.pointee(index, offset)
                if place:
                    self.patched[place[0]].append((place[1], length))

    def _spacing(self, section):
        """The size of an entry: the distance of the relocations of two first fields."""
        offsets = sorted(section.relocs)
        if len(offsets) < 3:
            return len(section.data)
        return offsets[2] - offsets[0]

    def _read_alternatives(self):
        """struct alt_instr has 12 bytes in 6.1 and 14 from 6.3 on; before 5.13 it had 13."""
        section = self._table(".altinstructions")
        if section is None:
            return
        size = self._spacing(section)
        for index, offset in self._entries(".altinstructions", size):
            place, repl = self.pointee(index, offset), self.pointee(index, offset + 4)
            if place is None:
                continue
            at = offset + size - (3 if size == 13 else 2)
            length, repl_length = section.data[at], section.data[at + 1]
            self.patched[place[0]].append((place[1], length))
            if repl is None or not repl_length:
                self.dropped[place].append(length)
                continue
            self.alternatives[place].append(Alternative(length, repl, repl_length))
            end = repl[0], repl[1] + repl_length
            self.replacement_ends[end] = place[0], place[1] + length

    def _bug_entry_is_verbose(self):
        section = self._table("__bug_table")
        return section is None or self._spacing(section) != 6

    def _read_fixups(self):
        section = self._table("__ex_table")
        if section is None:
            return
        size = self._spacing(section)
        size = size if size in (8, 12) else 12
        for index, offset in self._entries("__ex_table", size):
            place, fixup = self.pointee(index, offset), self.pointee(index, offset + 4)
            data = 0
            if size == 12:
                data = struct.unpack_from("<I", section.data, offset + 8)[0]
            if place and fixup:
                self.fixups[place].append(Fixup(fixup, data))
