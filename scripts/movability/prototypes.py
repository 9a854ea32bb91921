# SPDX-License-Identifier: GPL-2.0
"""Declarations of the functions that are called."""

from .dwarf import AT_BYTE_SIZE, AT_ENCODING, AT_NORETURN, AT_TYPE, TAG_BASE, TAG_ENUM, \
    TAG_FORMAL, TAG_POINTER, TAG_STRUCT, TAG_UNION, TAG_UNSPECIFIED_PARAMETERS

# Stands for all functions that are called by a pointer, if one of them returns a torn value.
INDIRECT = "*"


class Prototype:
    """@arguments: the number of arguments in registers, or None if that is not known.
    @keepers: arguments through which the function may store addresses, because they point to
    something with room for addresses, or to something unknown, like void *. @named: the
    number of declared arguments; @rest: arguments behind these may be keepers too.
    @returned: the memory for the result, whose address the caller passes, may get addresses;
    @torn: it has a word which may not be written as a whole. @results: the number of
    registers for the result."""

    __slots__ = ("arguments", "keepers", "named", "rest", "noreturn", "results", "returned",
                 "torn")

    def __init__(self):
        self.arguments, self.keepers, self.named, self.results = 0, set(), 0, 2
        self.rest, self.noreturn, self.returned, self.torn = False, False, False, False

    def keeps(self, number):
        """Whether the function may store addresses where an argument points."""
        return number in self.keepers or self.returned or self.rest and number >= self.named


# The functions of KASAN and KCSAN that the compiler calls, by the beginning of the name. It gives
# them an address, and some also a size; they keep neither.
SANITIZERS = ("__asan_report_", "__asan_load", "__asan_store", "__tsan_read", "__tsan_write",
              "__tsan_unaligned_", "__tsan_volatile_", "__tsan_func_")


def of_sanitizers(names):
    """The prototypes of those among the functions that are called by sanitizers only."""
    found = {}
    for name in names:
        if name.startswith(SANITIZERS):
            found[name] = Prototype()
            found[name].arguments = found[name].named = 2
    return found


class Prototypes:
    """The prototypes of a file. note() fills @by_name."""

    def __init__(self, kinds):
        self._kinds = kinds
        self.by_name = {}

    def _stripped(self, unit, attributes):
        """(tag, attributes, children) of the type of an entry."""
        return self._kinds.stripped(unit, self._kinds.reference(unit, attributes[AT_TYPE]))

    def note(self, unit, name, found, at):
        """Notes a function: @found are the attributes of its entry, @at begins its children."""
        known = self.by_name.get(name)
        proto = Prototype()
        proto.noreturn = AT_NORETURN in found
        proto.results = self.results(unit, found)
        if proto.results:
            kind = self._kinds.reference(unit, found[AT_TYPE])
            if self._kinds.stripped(unit, kind)[0] in (TAG_STRUCT, TAG_UNION):
                proto.arguments, proto.returned = None, True
                proto.torn = self._kinds.is_torn(unit, kind)
        if at is not None:
            self._note_arguments(unit, proto, at)
        if known is not None:
            # Different files may have functions with the same name.
            proto.keepers |= known.keepers
            proto.rest |= known.rest
            proto.returned |= known.returned
            proto.torn |= known.torn
            proto.results = max(proto.results, known.results)
            if known.arguments != proto.arguments:
                proto.arguments, proto.rest = None, True
                proto.named = min(proto.named, known.named)
                proto.noreturn &= known.noreturn
        self.by_name[name] = proto

    def _note_arguments(self, unit, proto, at):
        format_text = False
        for _, tag, attributes, _ in self._kinds.children(unit, at):
            if tag == TAG_UNSPECIFIED_PARAMETERS:
                # Arguments that a format describes are printed, or numbers are stored there.
                proto.arguments, proto.rest = None, not format_text
            elif tag == TAG_FORMAL and proto.arguments is not None:
                words = self._words_of(unit, attributes)
                if words == 1 and self._is_keeper(unit, attributes):
                    proto.keepers.add(proto.arguments)
                format_text = words == 1 and self._is_text(unit, attributes)
                proto.rest |= words is None
                proto.arguments = None if words is None else proto.arguments + words
                proto.named += words or 0

    def note_indirect(self, unit, start):
        """Notes a type of functions that are called by a pointer."""
        found = self._kinds.die(unit, start)[2]
        if AT_TYPE in found:
            kind = self._kinds.reference(unit, found[AT_TYPE])
            if self._kinds.stripped(unit, kind)[0] in (TAG_STRUCT, TAG_UNION) and \
                    self._kinds.is_torn(unit, kind):
                self.by_name[INDIRECT] = proto = Prototype()
                proto.torn = True

    def results(self, unit, found):
        """The number of registers in which a function returns its result."""
        if AT_TYPE not in found:
            return 0
        tag, kind, _ = self._stripped(unit, found)
        if tag in (TAG_POINTER, TAG_ENUM) or \
                tag == TAG_BASE and self._kinds.number(kind[AT_BYTE_SIZE]) <= 8:
            return 1
        return 2

    def _is_keeper(self, unit, attributes):
        """Whether an argument is the address of something that has, or may have, room for
        addresses; or a number as large as an address."""
        tag, found, _ = self._stripped(unit, attributes)
        if tag != TAG_POINTER:
            return tag == TAG_BASE and self._kinds.number(found[AT_BYTE_SIZE]) == 8
        if AT_TYPE not in found:
            return True         # void *
        pointee = self._kinds.reference(unit, found[AT_TYPE])
        tag, _, _ = self._kinds.stripped(unit, pointee)
        if tag:
            return not self._kinds.is_numeric(unit, pointee)
        return not self._kinds.is_const(unit, pointee)

    def _is_text(self, unit, attributes):
        """Whether an argument is the address of constant characters."""
        tag, found, _ = self._stripped(unit, attributes)
        if tag != TAG_POINTER or AT_TYPE not in found:
            return False
        pointee = self._kinds.reference(unit, found[AT_TYPE])
        return self._kinds.is_const(unit, pointee) and self._kinds.element_size(unit, pointee) == 1

    def _words_of(self, unit, attributes):
        """The number of registers for an argument; None if that is not clear."""
        if AT_TYPE not in attributes:
            return None
        tag, found, _ = self._stripped(unit, attributes)
        if tag in (TAG_POINTER, TAG_ENUM):
            return 1
        if tag == TAG_BASE:
            size = self._kinds.number(found[AT_BYTE_SIZE]) if AT_BYTE_SIZE in found else 99
            return 1 if size <= 8 and self._kinds.number(found[AT_ENCODING]) != 4 else None
        return None
