# SPDX-License-Identifier: GPL-2.0
"""Finds the points of a function, and whether everything that is live at them is plain."""

from .cfg import FlowError
from .prototypes import INDIRECT
from .effects import ADDED, BELOW, COMPARED, FAR_BACK, MOVED, PLAINLY, READ_KEYS, SLOTS, slot_keys
from .frame import region
from .live import Liveness
from .machine import ARGUMENTS, CALL, CALLEE_SAVED, MEM, NAMES, NONE, RDI, RDX, RET, RIP, RSI, RSP
from .values import (ANY, BAD, DIFF, DISGUISED, HALF, KEEP_LOW_BITS, LANES, MINUS, MIXED, NEG, NEGATED, NUM, PART,
                     NUMBER, PLUS, POINTER, SHADOW, SHIFTED, STACK, STK, TRUNC, UNDEF, most_of)
from .values import NONE as NO_SIGN


FAR = "biased", "an address with an index that begins far above zero"

# The smallest array of characters whose address is passed on with a warning.
LARGE = 256

# These functions fill memory with bytes from outside or with a given byte. They store no
# address, although the type of their argument, void *, would allow it. Of functions that are
# not in this list the checker does not know that.
FILLERS = frozenset("""
    memset memset16 memset32 memset64 __memset __asan_memset memzero_explicit
    get_random_bytes get_random_bytes_wait prandom_bytes_state kernel_read
    copy_from_user _copy_from_user __copy_from_user copy_from_user_nofault
    raw_copy_from_user _copy_from_iter skb_copy_bits""".split())

# These only read. The compiler knows them itself, and then debug information has no prototype.
READERS = frozenset("memcmp bcmp memchr strlen strnlen strcmp strncmp strchr strrchr strstr".split())

# These copy from the second argument to the first, and the third is the number of bytes.
COPIERS = frozenset("memcpy memmove __memcpy __memmove __asan_memcpy __asan_memmove".split())

# An address anywhere in the frame.
ANYWHERE = None


class Suspect:
    """A value at a point that may not be plain. @keys are its places."""

    __slots__ = ("where", "keys", "value", "weak")

    def __init__(self, where, keys, value, weak=False):
        self.where, self.keys, self.value, self.weak = where, keys, value, weak


class Stop:
    """A point, before it is known whether everything at it is plain.

    @words are offsets of words that certainly hold no address. @halves are pieces of words
    that hold none if everything that is live in them is a number. @torn are pieces that are
    numbers in words whose other bytes may be old ones; @shared are those of which this is
    not known yet, because other code may write them. @arguments are words of the callee.
    """

    __slots__ = ("block", "site", "kind", "sp", "lowest", "suspects", "words", "halves", "torn",
                 "shared", "arguments")

    def __init__(self, block, site, kind, sp, lowest):
        self.block, self.site, self.kind, self.sp, self.lowest = block, site, kind, sp, lowest
        self.suspects, self.words, self.halves, self.torn = [], set(), {}, {}
        self.shared, self.arguments = {}, set()


class Examination:
    """Walks once more through a function whose fixed point is known."""

    def __init__(self, flow):
        self.flow, self.body = flow, flow.body
        self.stops, self.decided = [], []
        self.left_out = set()   # places that are not points
        self.logs = {}
        self._liveness = None
        self.handed = []        # (site, offset) of addresses passed to other files
        self.opaque = set()     # offsets passed to costack_opaque()
        self.kept = set()       # (offset, place): from this place on other code may store addresses there
        self._ours = flow.arith.made_of({STACK, POINTER})
        for block in self.body.blocks:
            self._walk(block)
        self._note_stores()
        self.numeric = {variable for variable in flow.variables if self._is_numeric(variable)}
        self._without_copies()
        for stop in self.stops:
            self._settle_shared(stop)
        arith = flow.arith
        self.addresses = arith.settle(flow.effects.evidence)
        self._settle_pairs()

    def _settle_pairs(self):
        """If two values make up an address, one of them is an address: in doubt, both."""
        doubtful = [pair for pair in self.flow.effects.pairs
                    if self.addresses.isdisjoint(pair)]
        if doubtful:
            self.addresses = self.flow.arith.settle(
                self.flow.effects.evidence | {org for pair in doubtful for org in pair})

    def is_address(self, org):
        """Whether a value of this origin is known to be an address."""
        return org in self.addresses

    # --- The walk ----------------------------------------------------------

    def _walk(self, block):
        state = self.flow.states[block].copy()
        for site in block.sites:
            lowest = self._touches(site, state)
            if lowest is not None:
                self._stop(block, site, "touch", state, lowest)
            elif site.kind == CALL and site.keeps is None:
                self._pass(block, site, state, self.flow.arguments(site))
            elif site.kind == RET and self.body.program.knows(site):
                self._pass(block, site, state, self.flow.arguments(site))
            if site.kind == CALL and site.keeps is None:
                if site.returns:
                    self._stop(block, site, "call", state, state.sp - 8)
                self._note_handed(block, site, state)
                self._refuse_torn(site, state)
            log = self.logs[site.place] = []
            self.flow.effects.execute(site, state, log)

    def _touches(self, site, state):
        """The lowest byte of deeper stack that a site may touch, or None."""
        insn, sp = site.insn, state.sp
        lowest = sp
        if site.kind == CALL or insn.name in ("push", "pushfq"):
            lowest = sp - 8
        for op in insn.ops:
            if op[0] == MEM and insn.name not in ("lea", "nop"):
                lowest = min(lowest, self._lowest(op, state, sp))
        if insn.name in ("movs", "stos", "ins"):
            for number in (RDI, RSI):
                if state.regs[number].kind == STK:
                    lowest = min(lowest, sp)
        touched = lowest < sp or self._uses_frame(insn, state)
        return lowest if touched and lowest < state.low else None

    @staticmethod
    def _lowest(op, state, sp):
        base = state.regs[op[1]] if op[1] not in (NONE, RIP) else None
        if base is not None and base.kind == STK and base.const is not None and op[2] == NONE:
            return base.const + op[4] if base.const + op[4] < sp else sp
        return sp

    @staticmethod
    def _uses_frame(insn, state):
        """Whether a site reads or writes the frame at or above the stack pointer."""
        if insn.name in ("movs", "stos", "ins"):
            return STK in (state.regs[RDI].kind, state.regs[RSI].kind)
        if insn.name in ("lea", "nop"):
            return False
        for op in insn.ops:
            if op[0] == MEM:
                for number in op[1:3]:
                    if number not in (NONE, RIP) and state.regs[number].kind == STK:
                        return True
        return False

    def _pass(self, block, site, state, numbers):
        """Not a point, but a place that passes on values which are then assumed to be plain."""
        stop = Stop(block, site, "pass", state.sp, state.sp - 8)
        for number in numbers:
            if not self._is_plain(state.regs[number], stop):
                stop.suspects.append(Suspect(NAMES[number], READ_KEYS[8][number],
                                             state.regs[number]))
        if stop.suspects:
            self.stops.append(stop)

    def _whose(self, value):
        """[offset] for an address in the frame, [ANYWHERE] if its offset is not known, [] for
        a value that is not such an address."""
        if value.kind == STK and value.const is not None:
            return [value.const]
        return [ANYWHERE] if value.kind == STK or \
            value.kind == ANY and value.org in self._ours else []

    def _note_handed(self, block, site, state):
        """Notes the addresses in the frame that are passed to a function."""
        if site.callee == "costack_opaque":
            self.opaque.add(state.regs[RDI].const if state.regs[RDI].kind == STK else None)
        program, callee = self.body.program, site.callee
        elsewhere = isinstance(callee, str) and callee not in program.places
        given = self.flow.arguments(site)
        for at, number in enumerate(ARGUMENTS):
            for offset in self._whose(state.regs[number]) if number in given else ():
                keeps = self._keeps(site, at)
                if (elsewhere or keeps) and offset is not ANYWHERE:
                    self.handed.append((site, offset))
                if keeps:
                    self.kept.add((offset, site.place))
        for word in self.flow.argument_words(site, state):
            size, value = state.frame.get(word, (0, None))
            for offset in self._whose(value) if size == 8 else ():
                self.kept.add((offset, site.place))
                if offset is not ANYWHERE:
                    self.handed.append((site, offset))
        if callee in COPIERS and elsewhere:
            source = NUMBER if self._is_constant(block, site) else state.regs[RSI]
            self.flow.copied.append((site, state.regs[RDI], source, most_of(state.regs[RDX])
                                     if state.regs[RDX].kind == NUM else None))

    def _keeps(self, site, at):
        """Whether a call may store addresses where an argument points."""
        callee, program = site.callee, self.body.program
        if callee == "costack_opaque" or \
                callee in FILLERS | READERS | COPIERS and callee not in program.places:
            return False
        known = program.prototypes.get(callee)
        return not known or known.keeps(at)

    def _is_constant(self, block, site):
        """Whether the second argument is the address of a constant, by its relocation."""
        for before in reversed(block.sites[:block.sites.index(site)]):
            if before.kind == CALL:
                return False
            if before.insn.writes >> RSI & 1:
                reloc = before.imm if before.insn.name in ("mov", "movabs") else before.disp
                if before.insn.name not in ("mov", "movabs", "lea") or not reloc or \
                        before.insn.memory() and before.insn.memory()[1] != RIP:
                    return False
                section = self.body.obj.sections[reloc.symbol.section]
                return bool(reloc.symbol.section) and section.flags & 3 == 2
        return False

    def _note_stores(self):
        """Notes addresses that are stored where other code finds them, and values that may be
        addresses and are stored in an unknown variable."""
        for site, value in self.flow.kept:
            for offset in self._whose(value):
                self.kept.add((offset, site.place))
                if offset is not ANYWHERE:
                    self.handed.append((site, offset))
        for site, parts in self.flow.scattered:
            self.kept.update((offset, site.place) for value in parts
                             for offset in self._whose(value))

    def _without_copies(self):
        """Leaves out variables into which a copy may have written addresses."""
        changed = True
        while changed:
            left = {variable for variable in self.numeric
                    if not any(self._gets(variable, *copy) for copy in self.flow.copied)}
            changed = left != self.numeric
            self.numeric = left

    def _gets(self, variable, site, target, source, most):
        """Whether a copy may write an address into a variable."""
        place = self.body.home(site.place)
        if source.kind == NUM or most is not None and most < 8 or not variable.covers(place) or \
                not any(offset is ANYWHERE or variable.first <= offset < variable.end
                        for offset in self._whose(target)):
            return False
        return source.kind != STK or source.const is None or not any(
            other.first <= source.const and source.const + (most or 1) <= other.end and
            other.covers(place) for other in self.numeric)

    def _refuse_torn(self, site, state):
        """Handles a structure that a call returns in memory. The compiler does not zero it,
        because it assumes that the call writes all of it; but if the callee copies the
        members one by one, nobody writes the padding."""
        prototypes = self.body.program.prototypes
        if isinstance(site.callee, str):
            known = prototypes.get(site.callee) or prototypes.get(site.callee.partition(".")[0])
        else:
            known = prototypes.get(INDIRECT) if state.regs[RDI].kind == STK else None
        if known and known.torn:
            raise FlowError(site, "half word", "members of a returned structure, and beside "
                            "them what was there before")

    # --- Numbers by debug information ----------------------------------------

    def _is_numeric(self, variable):
        """Whether nothing in the scope of a variable uses it as if it held addresses."""
        if not variable.plain:
            return False
        places = {place for offset, place in self.kept
                  if offset is ANYWHERE or variable.first <= offset < variable.end}
        # Outside of the scope its place belongs to something else.
        return not any(variable.covers(self.body.home(place)) for place in places) and \
            not any(self._is_wide(word, variable)
                    for word in range(variable.first & ~7, variable.end, 8))

    def _is_wide(self, word, variable):
        """Whether a value that may be an address is stored there in a variable's scope."""
        return any(variable.covers(self.body.home(place))
                   for place in self.flow.wide.get(word, ()))

    def _variables_at(self, stop):
        """The variables in whose scope a stop certainly is."""
        place = self.body.home(stop.site.place)
        for variable in self.flow.variables:
            # For a stop that is not a call the scope is not certain.
            if variable.alone and (stop.site.kind == CALL or variable.ranges is None) and \
                    variable.covers(place) and region(variable.first) == region(stop.sp):
                yield variable

    def _numeric_words(self, stop):
        """Words of the variables in whose scope a stop is; of variables that may hold
        addresses, those words in which an address has no room."""
        found = set()
        for variable in self._variables_at(stop):
            if variable in self.numeric:
                words = range(variable.first & ~7, variable.end, 8)
            else:
                words = [word for word in variable.edges() if not self._is_wide(word, variable)]
            if words and not self._is_shared(variable, stop, words):
                found.update(word for word in words if word >= stop.sp)
        return found

    def _is_shared(self, variable, stop, words):
        """Whether another variable in scope shares some of the words."""
        place = self.body.home(stop.site.place)
        first, end = min(words), max(words) + 8
        others = [other for other in self.flow.variables
                  if other is not variable and not other.is_outside(variable)]
        return any(other.first < end and other.end > first and other.covers(place) and
                   any(self._has_room(other, word) for word in words)
                   for other in others + self.flow.debug.spilled)

    def _has_room(self, variable, word):
        """Whether a word of a variable may hold an address."""
        return not variable.plain or variable in self.flow.variables and \
            variable not in self.numeric and variable.first <= word and variable.end >= word + 8

    def _has_torn_edge(self, stop, words):
        """Whether a variable ends inside a word whose other bytes are unknown. If the scope of
        a stop is not certain, this may be any variable."""
        variables = self._variables_at(stop) if stop.site.kind == CALL else \
            [variable for variable in self.flow.variables
             if variable.alone and region(variable.first) == region(stop.sp)]
        return any(word not in words and stop.sp <= word < 0 and variable.end > word + 2
                   for variable in variables for word in variable.edges())

    def warnings(self):
        """(site, name) of large arrays of characters that are passed to other code, and whose
        bytes a move may take for addresses."""
        found = {}
        known = {stop.site: words for stop, words in self.decided if stop.kind == "call"}
        for site, offset in self.handed:
            for variable in self.flow.variables:
                if variable.chars and not variable.aligned and \
                        variable.end - variable.first >= LARGE and \
                        variable.first <= offset < variable.end and \
                        not any(mark is None or variable.first <= mark < variable.end
                                for mark in self.opaque) and \
                        not known.get(site, set()).issuperset(
                            range((variable.first + 7) & ~7, variable.end & ~7, 8)):
                    found.setdefault(variable.name, site)
        return [(site, name) for name, site in found.items()]

    def _stop(self, block, site, kind, state, lowest):
        stop = Stop(block, site, kind, state.sp, lowest)
        self.stops.append(stop)
        numbers = CALLEE_SAVED if kind == "call" else range(16)
        for number in numbers:
            value = state.regs[number]
            if number != RSP and not self._is_plain(value, stop):
                stop.suspects.append(Suspect(NAMES[number], READ_KEYS[8][number], value))
        if kind == "touch":
            for number, value in state.vectors.items():
                stop.suspects.append(Suspect(f"xmm{number}", (), value))
        self._look_at_frame(stop, state)
        if kind == "call":
            stop.words.difference_update(self.flow.argument_words(site, state))
            for word in self.flow.argument_words(site, state):
                stop.halves.pop(word, None)
                stop.arguments.add(word)

    def _is_plain(self, value, stop):
        """Whether a word is plain without further questions."""
        kind = value.kind
        if kind == NUM or kind == UNDEF:
            return True
        if kind == ANY:
            return value.sign == NO_SIGN and value.const >= -BELOW
        if kind == STK:
            if value.const is None:
                return False
            return self._within(value.const, stop)
        if kind == PART:    # a part of the low 16 bits, which a move does not change
            return value.other.kind in (NUM, ANY, UNDEF)
        return kind == SHADOW and self.flow.kasan

    def _within(self, offset, stop):
        lowest = min(stop.sp, stop.lowest) if stop.kind == "touch" else stop.sp - 8
        return lowest - BELOW <= offset <= self.flow.top(offset)

    def _look_at_frame(self, stop, state):
        sp, weak = stop.sp, self.flow.is_weak
        parts = {}
        for offset, (size, value) in state.frame.items():
            if offset < sp:
                continue
            if size == 8 and not offset & 7:
                if value.kind == NUM:
                    if not weak(offset) and region(offset) == region(sp):
                        stop.words.add(offset)
                elif not self._is_plain(value, stop):
                    stop.suspects.append(Suspect("", slot_keys(offset, 8), value, weak(offset)))
                continue
            if value.kind not in (NUM, UNDEF):
                stop.suspects.append(Suspect("", slot_keys(offset, size), value, weak(offset)))
            for word in {offset & ~7, (offset + size - 1) & ~7}:
                parts.setdefault(word, []).append((offset, size, value))
        for word, pieces in parts.items():
            if word >= 0:
                continue
            if region(word) != region(sp) or word in self.flow.effects.rejoined:
                stop.torn[word] = pieces
            elif weak(word) or weak(word + 7):
                stop.shared[word] = pieces
            elif all(value.kind == NUM for _, _, value in pieces):
                stop.words.add(word)
            else:
                stop.halves[word] = pieces

    def _settle_shared(self, stop):
        for word, pieces in stop.shared.items():
            if not self._is_nobodys(word, stop):
                stop.torn[word] = pieces
            elif word not in stop.arguments:
                stop.halves[word] = pieces

    def _is_nobodys(self, word, stop):
        """Whether a word whose address other code may have belongs to no variable with room
        for an address, and is never used as a whole. A smaller part that is read from it is
        then not a part of an address."""
        flow, place = self.flow, self.body.home(stop.site.place)
        return word not in flow.wide and word not in flow.whole and \
            not any(variable.first < word + 8 and variable.end > word and
                    variable.covers(place) and self._has_room(variable, word)
                    for variable in flow.variables)

    # --- The decision ------------------------------------------------------

    def live(self, stop):
        """The kinds in which the live keys at a stop will be used."""
        if self._liveness is None:
            self._liveness = Liveness(self.body, self.logs)
        before, after = self._liveness.at(stop.block, stop.site)
        return after if stop.kind == "call" else before

    def _kinds(self, stop, suspect):
        live = self.live(stop)
        kinds = PLAINLY if suspect.weak or not suspect.keys else 0
        upper = kinds
        for at, key in enumerate(suspect.keys):
            kinds |= live.get(key, 0)
            # The low 16 bits of an address never change.
            if at >= (1 if suspect.where else 2):
                upper |= live.get(key, 0)
        return kinds, upper

    def objection(self, stop, suspect):
        """(reason, detail) if a value is not plain, or None."""
        value = suspect.value
        kinds, upper = self._kinds(stop, suspect)
        if not kinds:
            return None
        if not upper and (value.kind in (STK, TRUNC, PART, DIFF, NEG) or
                          value.kind == BAD and value.why in KEEP_LOW_BITS):
            return None
        return self._judge(value, kinds, stop, suspect)

    def _judge(self, value, kinds, stop, suspect):
        kind = value.kind
        if kind == STK:
            return self._judge_stack(value, kinds, stop, suspect)
        if kind == ANY:
            if suspect and not suspect.where and len(suspect.keys) == 8 and \
                    suspect.keys[0] & 7 and self.is_address(value.org):
                return "unaligned", "an address in an unaligned word"
            return self._judge_unknown(value, kinds)
        if kind == DIFF:
            return self._judge_difference(value, kinds)
        elif kind == NEG and self.is_address(value.org):
            return NEGATED
        elif kind == TRUNC:
            return HALF
        elif kind == PART:
            return self._judge_part(value, kinds, stop, suspect)
        elif kind == SHADOW:
            return SHIFTED
        elif kind == LANES:
            return self._judge_lanes(value, stop, suspect)
        elif kind == BAD:
            return value.why
        return None

    def _judge_unknown(self, value, kinds):
        if not self.is_address(value.org):
            return None
        if value.sign >= MIXED and kinds & ADDED:
            return "biased", "an address minus a variable"
        if value.sign >= PLUS and kinds & FAR_BACK:
            return FAR
        if value.const < -BELOW and kinds & COMPARED:
            # It may be the address of something that exists. If not, it may be an address
            # like that of the entry around the head of a list.
            return "biased", f"an address minus {-value.const}"
        return None

    def _judge_difference(self, value, kinds):
        one, two = self.is_address(value.org), self.is_address(value.other)
        # An argument is not an address in this frame.
        foreign = STACK in (value.org, value.other) and \
            any(org in self.flow.effects.arguments for org in (value.org, value.other))
        if foreign and not two:
            return "biased", "a stack address minus a variable"
        if foreign:
            return "negated", "the difference of a stack address and another one"
        if one and not two and (kinds & ADDED or value.org == STACK):
            return "biased", "an address minus a variable"
        if two and not one and kinds & ADDED:
            return "negated", "a variable minus an address"
        if two and kinds & MOVED:
            return "negated", "the difference of two addresses, one of which is added again"
        return None

    def _judge_stack(self, value, kinds, stop, suspect):
        if len(suspect.keys) < 8 and not suspect.where:
            return HALF
        if not suspect.where and suspect.keys[0] & 7:
            return "unaligned", "a stack address in an unaligned word"
        if value.const is not None:
            if not self._within(value.const, stop):
                return "biased", f"an address {value.const:+d} from the frame's base, outside of it"
        elif value.sign == MINUS or (value.sign == MIXED and kinds & ADDED):
            return "biased", "a stack address minus a variable"
        elif value.sign >= PLUS and kinds & FAR_BACK:
            return FAR
        return None

    def _judge_part(self, value, kinds, stop, suspect):
        if value.other.kind == STK:
            return DISGUISED
        return self._judge(value.other, kinds, stop, suspect)

    def _judge_lanes(self, value, stop, suspect):
        for lane in value.other:
            if lane.kind == STK or (lane.kind == ANY and self.is_address(lane.org)):
                return "vector", "an address in a vector register"
            found = self._judge(lane, PLAINLY | ADDED, stop, suspect)
            if found:
                return found
        return None

    def _judge_stored(self, value):
        """A value that is stored where it cannot be followed."""
        if value.kind == STK:
            if value.const is not None and (self.flow.is_far(value.const) or
                                            value.const > self.flow.top(value.const)):
                return "biased", "a stack address outside of the frame"
            return None
        return self._judge(value, PLAINLY, None, None) if value.kind != DIFF else None

    def decide(self):
        """[(stop, words)] of the points; raises FlowError if the function is refused."""
        for site, value in self.flow.escaped:
            found = self._judge_stored(value)
            if found:
                raise FlowError(site, found[0], f"{found[1]}, stored in memory")
        good = []
        for stop in self.stops:
            words = stop.words | self._numeric_words(stop)
            left_out = False
            for suspect in stop.suspects:
                if suspect.keys and not suspect.where and \
                        suspect.keys[0] - SLOTS & ~7 in words and \
                        suspect.keys[-1] - SLOTS & ~7 in words:
                    continue
                found = self.objection(stop, suspect)
                if not found:
                    continue
                if self._may_be_left_out(stop, suspect, found):
                    left_out = True
                    break
                raise FlowError(stop.site, found[0],
                                f"{found[1]}, {self._place_of(suspect, stop)}")
            if left_out:
                self.left_out.add(self.body.home(stop.site.place))
                continue
            if stop.kind == "pass":
                continue
            for word, pieces in stop.halves.items():
                if self._is_number(stop, pieces):
                    words.add(word)
            if any(self._is_torn(stop, word, pieces)
                   for word, pieces in (*stop.halves.items(), *stop.torn.items())
                   if word not in words) or self._has_torn_edge(stop, words):
                if stop.kind == "touch":
                    self.left_out.add(self.body.home(stop.site.place))
                    continue
                raise FlowError(stop.site, "half word", "a number, and beside it what was "
                                "there before, in the frame at a call")
            good.append((stop, words))
        self.decided = good
        return good

    @staticmethod
    def _may_be_left_out(stop, suspect, found):
        """Where a move was not approved the stack grows in place. That is correct if no
        function is called with a value that is not plain."""
        del found
        if stop.kind != "touch":
            return False
        if stop.site.kind == CALL and stop.site.keeps is None:
            # Vector registers do not pass addresses.
            return suspect.where.startswith("xmm")
        return bool(suspect.where) or suspect.value.kind == STK

    def _is_number(self, stop, pieces):
        """Whether something in a word is live, and everything live in it is a number."""
        live, number = self.live(stop), False
        for offset, size, value in pieces:
            alive = any(live.get(key) for key in slot_keys(offset, size))
            if value.kind == NUM or (value.kind == ANY and size < 8):
                number |= alive
            elif alive:
                return False
        return number

    def _is_torn(self, stop, word, pieces):
        """Whether a number is live in a word whose other bytes are unknown. In a variable these
        are the variable's bytes."""
        # The low 16 bits of an address never change.
        keys = [key for offset, size, value in pieces
                if value.kind == NUM or value.kind == ANY and size < 8
                for key in slot_keys(offset, size) if word + 2 <= key - SLOTS < word + 8]
        flow = self.flow
        if not keys or any(variable.first <= word and variable.end >= word + 8
                           for variable in flow.variables):
            return False
        if word not in flow.wide and word not in flow.pushed and \
                sum(min(offset + size, word + 8) - max(offset, word)
                    for offset, size, value in pieces if value.kind in (NUM, ANY)) == 8:
            return False
        live = self.live(stop)
        return any(live.get(key) for key in keys)

    @staticmethod
    def _place_of(suspect, stop):
        when = {"call": "at a call", "touch": "where the stack may grow",
                "pass": "handed on"}[stop.kind]
        if suspect.where:
            return f"in {suspect.where} {when}"
        return f"in the frame {when}"
