# SPDX-License-Identifier: GPL-2.0
"""Writes the verdict on an object file as assembly text, to be appended to its source.

module/verdict.c defines the layout, and reads it when the module is loaded: a struct
verdict_unit in a section that the kernel frees after the module's init, and a parameter
without a file, through which the kernel side finds it.
"""

import zlib

from elftools.elf.elffile import ELFFile

from .objfile import AWAY

FORMAT = 2

CALL, TOUCH, LONG = 1, 2, 4
TRUSTED = 1

# A mask describes the first words of a frame, as many as this; runs describe the others.
MASK_WORDS = 64


def covered(functions):
    """The checked functions that stay in memory and run on a stack."""
    return sorted((f for f in functions
                   if not f.section.startswith((".init", ".exit", ".altinstr", ".discard"))),
                  key=lambda f: (f.section, f.start))


def section_bytes(path):
    """The bytes of each section, by name."""
    with open(path, "rb") as file:
        return {s.name: s.data() for s in ELFFile(file).iter_sections()
                if s["sh_type"] == "SHT_PROGBITS"}


def runs(words):
    """[(first, nr)...] of a set of word numbers, in order."""
    found = []
    for word in sorted(words):
        if found and word == found[-1][0] + found[-1][1]:
            found[-1][1] += 1
        else:
            found.append([word, 1])
    return found


class Maps:
    """The maps of a unit, without duplicates. The first says that there are no numbers."""

    def __init__(self):
        self.words = [0]
        self.seen = {}

    def add(self, numbers):
        """Returns the word at which a map begins, and whether runs follow its mask."""
        words = {w for first, nr in numbers for w in range(first, first + nr) if w >= 0}
        if not words:
            return 0, False
        key = frozenset(words)
        above = runs(w for w in words if w >= MASK_WORDS)
        if key not in self.seen:
            self.seen[key] = len(self.words)
            self.words.append(sum(1 << w for w in words if w < MASK_WORDS))
            if above:
                self.words.append(len(above))
                self.words += [first | nr << 32 for first, nr in above]
        return self.seen[key], bool(above)


def merge(points):
    """By offset: the kinds of the point, and the words that are numbers for each kind."""
    merged = {}
    for point in points:
        kind = CALL if point.kind == "call" else TOUCH
        words = {w for first, nr in point.numbers for w in range(first, first + nr)}
        if point.offset in merged:
            kinds, before = merged[point.offset]
            merged[point.offset] = kinds | kind, before & words
        else:
            merged[point.offset] = kind, words
    return sorted(merged.items())


def merge_masks(masks, size):
    """The masks in order, without overlap, inside the function."""
    covered_bytes = {b for offset, length in masks
                     for b in range(max(offset, 0), min(offset + length, size))}
    return runs(covered_bytes)


def checksum(data, masks):
    crc, at = 0, 0
    for offset, length in masks:
        crc = zlib.crc32(data[at:offset], crc)
        at = offset + length
    return zlib.crc32(data[at:], crc)


def quote(text):
    return "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else "?" for c in text)


def assembly(path, functions):
    """The verdict on the functions of an object file."""
    data = section_bytes(path)
    maps = Maps()
    out_functions, out_points, out_masks, out_strings = [], [], [], []
    for function in functions:
        code = data[function.section][function.start:function.start + function.size]
        masks = merge_masks(function.masks, function.size)
        points = [] if function.refusal else merge(
            point for point in function.points if point.offset < function.size)
        why, at = "0", 0
        if function.refusal:
            why, at = f".Lcostack_why{len(out_strings)}", function.refusal.offset
            out_strings.append(f'{why}: .asciz "'
                               f'{quote(function.refusal.reason)}: '
                               f'{quote(function.refusal.insn)}"')
        out_functions.append(
            f'\t.quad "{function.section}" + {function.start + AWAY}, {why}\n'
            f"\t.long {function.size}, {checksum(code, masks):#x}, {at}, "
            f"{TRUSTED if function.trusted else 0}, {len(points)}, {len(masks)}")
        for offset, (kinds, words) in points:
            start, is_long = maps.add(runs(words))
            out_points.append(f"\t.long {offset}, {kinds | (LONG if is_long else 0) | start << 3}")
        out_masks += [f"\t.long {offset}, {length}" for offset, length in masks]
    return "\n".join([
        "",
        '\t.pushsection .init.costack, "a", @progbits',
        "\t.balign 8",
        ".Lcostack_unit:",
        "\t.quad .Lcostack_functions, .Lcostack_points, .Lcostack_masks, .Lcostack_maps",
        f"\t.long {FORMAT}, {len(out_functions)}, {len(out_points)}, {len(out_masks)}, "
        f"{len(maps.words)}, 0",
        ".Lcostack_functions:", *out_functions,
        ".Lcostack_points:", *out_points,
        ".Lcostack_masks:", *out_masks,
        ".Lcostack_maps:", *[f"\t.quad {word:#x}" for word in maps.words],
        *out_strings,
        "\t.popsection",
        '\t.pushsection .rodata.str1.1, "aMS", @progbits, 1',
        '.Lcostack_name: .asciz "costack_verdict"',
        "\t.popsection",
        # struct kernel_param: name, module, ops, mode 0, level -1, flags, argument.
        '\t.pushsection __param, "a", @progbits',
        "\t.balign 8",
        "\t.quad .Lcostack_name, __this_module, costack_verdict_ops",
        "\t.short 0",
        "\t.byte -1, 0",
        "\t.balign 8",
        "\t.quad .Lcostack_unit",
        "\t.popsection",
        "",
    ])
