# SPDX-License-Identifier: GPL-2.0
"""The body of a function: its instructions, and where control goes after each.

Code that the kernel may patch is followed both ways: an alternative is a second path beside
the original, a jump label jumps and also falls through, a faulting access goes to its fixup
too. A part in another section (name.cold) belongs to the body that jumps to it.
"""

from . import machine
from .machine import ARGUMENTS, BRANCH, CALL, HALT, JUMP, MEM, NONE, RAX, RCX, RDI, RDX, RET, RSI, TRAP
from .objfile import R_64, REPLACEMENTS

# Edges of a block. For a call of a function in another file it is a guess that it returns.
NEXT, TAKEN, FIXUP = range(3)

# The functions of Linux 6.1 and 6.12 that do not return (objtool has this list).
NORETURN = frozenset("""
    __fortify_panic __ia32_sys_exit __ia32_sys_exit_group __invalid_creds __kunit_abort
    __module_put_and_kthread_exit __reiserfs_panic __stack_chk_fail __tdx_hypercall_failed
    __ubsan_handle_builtin_unreachable __x64_sys_exit __x64_sys_exit_group arch_cpu_idle_dead
    bch2_trans_in_restart_error bch2_trans_restart_error bch2_trans_unlocked_error
    cpu_bringup_and_idle cpu_startup_entry do_exit do_group_exit do_task_dead
    ex_handler_msr_mce fortify_panic hlt_play_dead hv_ghcb_terminate
    kthread_complete_and_exit kthread_exit kunit_try_catch_throw lbug_with_loc
    machine_real_restart make_task_dead mpt_halt_firmware nmi_panic_self_stop panic
    panic_smp_self_stop rest_init rewind_stack_and_make_dead rust_begin_unwind
    rust_helper_BUG sev_es_terminate snp_abort start_kernel stop_this_cpu usercopy_abort
    x86_64_start_kernel x86_64_start_reservations xen_cpu_bringup_again xen_start_kernel
    abort exit _exit __assert_fail""".split())

# Functions that inline assembly calls, declaring which registers change; the compiler keeps
# values in the others. By prefix of the name, with the registers that are written.
KEEPERS = {
    "__get_user_": (RAX, RDX), "__put_user_": (RCX,), "__sw_hweight": (RAX,),
    "copy_user_": (RAX, RCX, RDX, RSI, RDI, 8, 9, 10, 11), "rep_movs_alternative":
    (RAX, RCX, RSI, RDI, 8, 9, 10, 11), "rep_stos_alternative": (RAX, RCX, RDI),
    "clear_user_": (RAX, RCX, RDX, RDI, 8), "clear_page_": (RAX, RCX, RDI),
    "this_cpu_cmpxchg16b_emu": (RAX, RDX), "preempt_schedule_thunk": (),
    "preempt_schedule_notrace_thunk": (), "__SCT__preempt_schedule": (),
    "__raw_callee_save_": (RAX,), "hypercall_page": (RAX, RDX, RSI, RDI, 8, 9, 10),
    "xen_hypercall": (RAX, RDX, RSI, RDI, 8, 9, 10), "__fentry__": (), "mcount": (),
    "pv_ops": (RAX,), "BUG_func": (RAX,),
}


ALL_ARGUMENTS = sum(1 << number for number in ARGUMENTS)


class FlowError(Exception):
    """Control goes where it cannot be followed."""

    def __init__(self, site, reason, detail=""):
        super().__init__(reason)
        self.site, self.reason, self.detail = site, reason, detail


class Site:
    """An instruction at its place. @callee is a name or a place, or None if indirect."""

    __slots__ = ("place", "insn", "disp", "imm", "kind", "callee", "keeps", "successors",
                 "returns", "maybe")

    def __init__(self, place, insn):
        self.place, self.insn, self.kind = place, insn, insn.kind
        self.disp = self.imm = None
        self.callee = self.keeps = None
        self.successors = []
        self.returns = True
        self.maybe = False      # the kernel may patch this call away

    @property
    def end(self):
        """The place after the instruction."""
        return self.place[0], self.place[1] + self.insn.size


class Block:
    """Sites that are executed in sequence; @succs are (block, edge)."""

    __slots__ = ("number", "start", "sites", "succs", "preds")

    def __init__(self, start):
        self.start, self.sites, self.succs, self.preds, self.number = start, [], [], [], 0


class Program:
    """All bodies of a file, each made when it is first needed."""

    def __init__(self, obj, prototypes=None):
        self.obj = obj
        self.decoder = machine.Decoder()
        self.bodies = {}
        self.prototypes = prototypes or {}
        self.places = {symbol.name: place for place, symbol in obj.functions.items()}
        self._returns = {}
        self._read = {}
        self.homes = {}
        self.replaced = set()
        for place, entries in obj.alternatives.items():
            for entry in entries:
                self.replaced.update((place[0], place[1] + at) for at in range(entry.length))
                for at in range(entry.repl_length):
                    self.homes[entry.place[0], entry.place[1] + at] = place[0], place[1] + at

    def is_cold(self, symbol):
        """Whether a function is the cold part of another one."""
        return ".cold" in symbol.name

    def body(self, symbol):
        """The body that begins at a function's symbol. May raise FlowError."""
        place = symbol.section, symbol.value
        if place not in self.bodies:
            try:
                self.bodies[place] = Body(self, symbol)
            except FlowError as error:
                self.bodies[place] = error
        body = self.bodies[place]
        if isinstance(body, FlowError):
            raise body
        return body

    def returns(self, place):
        """Whether the function at a place may return; in doubt, yes."""
        if place not in self._returns:
            symbol = self.obj.functions.get(place)
            if symbol is None:
                return True
            self._returns[place] = True     # while it is looked at: recursion
            try:
                self._returns[place] = self.body(symbol).returns
            except (FlowError, RecursionError):
                pass
        return self._returns[place]

    def knows(self, site):
        """Whether the arguments of a call or a tail call are known."""
        known = self.prototypes.get(site.callee)
        return site.callee in self.places or bool(known and known.arguments is not None)

    def arguments(self, site):
        """Registers, as bits, in which a call or a tail call may pass arguments."""
        if site.keeps is not None:
            return 0
        place = self.places.get(site.callee) if isinstance(site.callee, str) else site.callee
        if place in self.obj.functions:
            return self.read_by(place)
        known = self.prototypes.get(site.callee)
        if known is None or known.arguments is None or known.arguments > 6:
            return ALL_ARGUMENTS
        return sum(1 << number for number in ARGUMENTS[:known.arguments])

    def read_by(self, place):
        """Registers, as bits, that a function of this file may read as arguments."""
        if place not in self._read:
            self._read[place] = ALL_ARGUMENTS       # while it is looked at: recursion
            try:
                self._read[place] = self._find_read(self.body(self.obj.functions[place]))
            except (FlowError, RecursionError):
                pass
        return self._read[place]

    def _find_read(self, body):
        live = {block: 0 for block in body.blocks}
        pending = set(body.blocks)
        while pending:
            block = pending.pop()
            now = 0
            for succ, _ in block.succs:
                now |= live[succ]
            for site in reversed(block.sites):
                if site.kind in (CALL, RET) and site.insn.kind != RET:
                    now = now | self.arguments(site) if site.callee is not None or \
                        site.kind == CALL else now
                else:
                    now &= ~site.insn.writes
                now |= site.insn.reads
            if now & ~live[block]:
                live[block] |= now
                pending.update(block.preds)
        return ALL_ARGUMENTS & sum_of(live[block] for block in body.entries)


def sum_of(sets):
    """Their union."""
    total = 0
    for bits in sets:
        total |= bits
    return total


class Body:
    """Instructions and blocks of one function."""

    def __init__(self, program, symbol):
        self.program, self.obj, self.symbol = program, program.obj, symbol
        self.entry = symbol.section, symbol.value
        self.own = [symbol]
        self.sites = {}
        self.returns = False
        self._leaders = set()
        self._table_jumps = []
        self._explore()
        self._check_overlap()
        self._make_blocks()

    def home(self, place):
        """The place of an instruction of an alternative after it was patched in."""
        return self.program.homes.get(place, place)

    def is_alternative(self, place):
        """Whether the kernel may put other instructions there."""
        return place in self.program.homes or place in self.program.replaced

    def part_of(self, place):
        """The symbol, of this body, whose text a place is in; None if of none."""
        place = self.home(place)
        for symbol in self.own:
            if symbol.section == place[0] and \
                    symbol.value <= place[1] < symbol.value + symbol.size:
                return symbol
        return None

    def _entries(self, place):
        """The places where control may be when it reaches a place, including alternatives."""
        places = [place]
        for entry in self.obj.alternatives.get(place, ()):
            places.append(entry.place)
        for length in self.obj.dropped.get(place, ()):
            places.append((place[0], place[1] + length))
        return places

    def _owns(self, place):
        """Whether a jump to a place stays in the body. Adds cold parts to the body."""
        if self.obj.sections[place[0]].name == REPLACEMENTS:
            return True
        function = self.obj.function_at(place)
        if function is None or function in self.own:
            return True
        if self.program.is_cold(function) and not self.program.is_cold(self.symbol):
            self.own.append(function)
            return True
        return False

    # --- Finding the instructions -----------------------------------------

    def _explore(self):
        todo = list(self._entries(self.entry))
        self._leaders.update(todo)
        while todo:
            place = todo.pop()
            last = None
            while place not in self.sites:
                site = self._decode(place, last)
                if site is None:
                    break
                self.sites[place] = site
                targets = self._follow(site)
                site.successors = targets
                last = site
                straight = targets == [(site.end, NEXT)]
                if not straight:
                    for target, _ in targets:
                        self._leaders.add(target)
                        todo.append(target)
                    break
                place = site.end

    def _check_overlap(self):
        end = 0, 0
        for place in sorted(self.sites):
            if place < end:
                raise FlowError(self.sites[place], "flow", "jumps into an instruction")
            end = self.sites[place].end

    def _decode(self, place, last):
        index, offset = place
        section = self.obj.sections[index]
        if last is not None and last.kind == CALL and self._is_beyond(place, last):
            last.returns = False
            last.successors = []
            return None
        if last is not None and self._is_beyond(place, last):
            raise FlowError(last, "flow", "runs into what follows the function")
        insn = self.program.decoder.decode(section.data, offset)
        if insn is None or not insn.known:
            where = Site(place, insn) if insn else last
            raise FlowError(where, "unknown instruction", section.data[offset:offset + 8].hex())
        site = Site(place, insn)
        for at, reloc in self.obj.reloc_within(index, offset, offset + insn.size):
            if at == offset + insn.imm_at and (insn.imm_at or insn.target is not None):
                site.imm = reloc
            else:
                site.disp = reloc
        return site

    def _is_beyond(self, place, last):
        """Whether the next instruction is another function's."""
        if place[1] >= len(self.obj.sections[place[0]].data):
            return True
        function = self.obj.function_at(place)
        if function is None:
            return self.obj.function_at(last.place) is not None
        return function not in self.own

    def _target(self, site):
        """(name, place) of the target of a direct jump or call: one of them is None."""
        reloc = site.imm
        if reloc is not None:
            symbol = reloc.symbol
            if not symbol.section:
                return symbol.name, None
            return None, (symbol.section, symbol.value + reloc.addend + 4)
        if site.insn.target is not None:
            return None, (site.place[0], site.place[1] + site.insn.target)
        return None, None

    def _name_at(self, place):
        function = self.obj.functions.get(place)
        return function.name if function else None

    def _follow(self, site):
        """Places to which control may go after a site, with the kind of each edge."""
        kind, place = site.kind, site.place
        after = self._after(site)
        targets = []
        if kind == CALL:
            self._meet_call(site)
            targets = after if site.returns else []
        elif kind in (JUMP, BRANCH):
            targets = self._jumps(site, after)
        elif kind == RET:
            self.returns = True
        elif kind == TRAP:
            if site.insn.name.startswith("ud") and self.obj.bugs.get(place, 0) & 1:
                targets = after
        elif kind == HALT:
            raise FlowError(site, "flow", "leaves the function in a way of its own")
        else:
            targets = after
        if place in self.obj.jumps:
            targets = after + self._intern(site, self.obj.jumps[place])
        for fixup in self.obj.fixups.get(place, ()):
            if self._owns(fixup.place):
                targets = targets + [(entry, FIXUP) for entry in self._entries(fixup.place)]
        return targets

    def _after(self, site):
        end = site.end
        if self.obj.sections[end[0]].name == REPLACEMENTS:
            end = self.obj.replacement_ends.get(end, end)
        return [(place, NEXT) for place in self._entries(end)]

    def _intern(self, site, place):
        if not self._owns(place):
            raise FlowError(site, "flow", "jumps into another function")
        return [(entry, TAKEN) for entry in self._entries(place)]

    def _meet_call(self, site):
        name, place = self._target(site)
        if place is not None:
            name = self._name_at(place)
        if name is None and place is None and site.disp is not None:
            name = site.disp.symbol.name if site.disp.symbol.name == "pv_ops" else None
        elif name is not None and name.startswith("__x86_indirect_"):
            name = None
        site.callee = name if name is not None else place
        if isinstance(site.callee, str):
            for prefix, written in KEEPERS.items():
                if site.callee.startswith(prefix):
                    site.keeps = written
            site.maybe = site.callee.startswith(("__SCT__", "__fentry__", "pv_ops", "mcount"))
            known = self.program.prototypes.get(site.callee)
            if site.callee in NORETURN or (known and known.noreturn):
                site.returns = False
        if place is not None and place in self.obj.functions:
            site.returns = site.returns and self.program.returns(place)

    def _jumps(self, site, after):
        name, place = self._target(site)
        down = after if site.kind == BRANCH else []
        if place is not None:
            function = self.obj.functions.get(place)
            if function is not None and function not in self.own and \
                    not (self.program.is_cold(function) and not self.program.is_cold(self.symbol)):
                site.callee = function.name
                site.kind = RET     # a tail call ends this frame
                self.returns = self.returns or self.program.returns(place)
                return down
            return down + self._intern(site, place)
        if name is not None:
            site.callee = name
            site.kind = RET
            if name.startswith("__x86_return_thunk"):
                site.callee = None
            self.returns = self.returns or name not in NORETURN
            return down
        table = self._jump_table(site)
        if table is not None:
            return table
        self.returns = True
        site.kind = RET
        site.callee = ""        # an indirect jump: the frame must already be gone, see flow.py
        return down

    def _jump_table(self, site):
        """Targets of a jump by a table of addresses, or None."""
        mem = site.insn.ops[0] if site.insn.ops and site.insn.ops[0][0] == MEM else None
        if mem is None or site.disp is None or mem[1] != NONE or mem[3] != 8:
            return None
        symbol = site.disp.symbol
        if not symbol.section:
            return None
        index, offset = symbol.section, symbol.value + site.disp.addend
        targets = []
        while True:
            reloc = self.obj.reloc(index, offset)
            if reloc is None or reloc.kind != R_64 or not reloc.symbol.section:
                break
            place = reloc.symbol.section, reloc.symbol.value + reloc.addend
            if not self.obj.sections[place[0]].is_text or not self._owns(place):
                break
            targets += [(entry, TAKEN) for entry in self._entries(place)]
            offset += 8
        return targets or None

    # --- Blocks ------------------------------------------------------------

    def _make_blocks(self):
        blocks = {}
        for leader in self._leaders:
            if leader in self.sites:
                blocks[leader] = Block(leader)
        for block in blocks.values():
            place = block.start
            while True:
                site = self.sites[place]
                block.sites.append(site)
                if site.successors != [(site.end, NEXT)] or site.end in blocks:
                    break
                place = site.end
            block.succs = [(blocks[target], edge) for target, edge in
                           dict.fromkeys(site.successors) if target in blocks]
            for succ, _ in block.succs:
                succ.preds.append(block)
        self.entries = [blocks[place] for place in self._entries(self.entry)
                        if place in blocks]
        self.blocks = self._ordered()

    def _ordered(self):
        """The reachable blocks, each before its successors, except for loops."""
        order, seen = [], set()
        stack = [(block, iter(block.succs)) for block in reversed(self.entries)]
        seen.update(block for block, _ in stack)
        while stack:
            block, successors = stack[-1]
            for succ, _ in successors:
                if succ not in seen:
                    seen.add(succ)
                    stack.append((succ, iter(succ.succs)))
                    break
            else:
                order.append(block)
                stack.pop()
        order.reverse()
        for number, block in enumerate(order):
            block.number = number
        return order
