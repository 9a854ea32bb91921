#!/usr/bin/env drgn
# SPDX-License-Identifier: GPL-2.0
"""Shows the coroutines in a crash dump, or in the running kernel.

usage: drgn -c DUMP -s VMLINUX -s COSTACK.KO [-s OTHER.KO...] costack.py [list|traces|folded]
       drgn -k -s COSTACK.KO [-s OTHER.KO...] costack.py [list|traces|folded]

  list    a line for each, with the columns of /sys/kernel/debug/costack/stacks (default)
  traces  the call traces of those that do not run; equal ones once, with their count
  folded  the same, one trace a line, as flamegraph.pl reads it

It finds them by their stacks, those of work items and those of costack_call(); and in the slab
cache those that have no stack, because they are packed or have not begun.

VMLINUX is that of linux-image-RELEASE-dbg, and the modules are those that were loaded, with
their debug information. drgn makes the traces, with ORC and DWARF; it begins with the
registers that costack_arch_switch() left on the stack. In a running kernel coroutines may
change while they are read, and then the output may be wrong or incomplete.

A dump by QEMU must contain virtual addresses and the kernel's notes: start QEMU with
-device vmcoreinfo, load qemu_fw_cfg in the guest, and use dump-guest-memory -p FILE.
"""

import collections
import sys

from drgn import FaultError, Object
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.slab import slab_cache_for_each_allocated_object

COLUMNS = "%8s %-23s %-9s %7s %7s %7s %7s %-7s %-7s %-21s %s"
HEADER = ("id", "name", "state", "class", "used", "deepest", "growths", "refusal", "waits",
          "thread", "function")
PAGE_SIZE = 4096
WAKEUP = 1 << 3
LOST = 1 << 31
# The registers that costack_arch_switch() pushes, in the order of struct costack_switch_frame.
SAVED = ("r15", "r14", "r13", "r12", "bx", "bp", "ip")


def die(message, remedy):
    """Ends with an error."""
    print(f"costack.py: error: {message}\n  {remedy}", file=sys.stderr)
    sys.exit(1)


class Modules:
    """Names of modules by addresses of their code."""

    def __init__(self, prog):
        self.ranges = []
        module_type = prog.type("struct module")
        members = {member.name for member in module_type.members}
        for module in list_for_each_entry(module_type, prog["modules"].address_of_(), "list"):
            # From Linux 6.4 on there is an entry for each kind of memory, the first for text.
            memory = module.mem[0] if "mem" in members else module.core_layout
            begin = memory.base.value_()
            name = module.name.string_().decode()
            self.ranges.append((begin, begin + memory.size.value_(), name))

    def name(self, address):
        """The name of a module, as " [name]", or nothing for the kernel."""
        for begin, end, name in self.ranges:
            if begin <= address < end:
                return f" [{name}]"
        return ""


class Home:
    """The addresses that packed stacks have, see module/pack.c.

    Nothing is mapped there. What is read there is what is packed of one coroutine."""

    def __init__(self, prog):
        self.prog = prog
        self.top = prog.variable("home", "module/pack.c").hi.value_()
        self.words = b""
        # A packed stack is less than a page.
        prog.add_memory_segment(self.top - PAGE_SIZE, PAGE_SIZE, self._read)

    def _read(self, address, count, _offset, _physical):
        begin = address - (self.top - len(self.words))
        if begin < 0:
            raise FaultError("this coroutine has nothing there", address)
        return self.words[begin:begin + count]

    def put(self, co):
        """Puts there what is packed of a coroutine: a bit for each word, and then the words."""
        size = self.top - co.ctx.sp.value_()
        bits = (size // 8 + 63) // 64 * 8
        self.words = self.prog.read(co.packed.value_() + bits, size)


class Coroutine:
    """The values that are shown of a struct costack."""

    def __init__(self, home, co, states):
        self.prog = co.prog_
        self.home = home
        self.co = co
        self.state = states.get(co.state.counter.value_() & ~WAKEUP, "?")
        if self.state == "waiting" and not co.slot:
            self.state = "packed"
        self.function = co.fn.value_()
        self.name = co.name.string_().decode(errors="replace").replace(" ", "_") or "-"

    def is_live(self):
        """Whether it is in use, and not kept for reuse or about to begin."""
        if self.state in ("idle", "dead"):
            return False
        return bool(self.co.work) or self.state != "runnable" or bool(self.co.started)

    def number(self):
        """The number of one of a work item."""
        return self.co.seq.value_() if self.co.work else "-"

    def thread(self):
        """The thread that called it."""
        if self.co.work:
            return "-"
        if self.co.flags.value_() & LOST:
            return "dead"
        task = self.co.task
        comm = task.comm.string_().decode(errors="replace").replace(" ", "_")
        return f"{comm}:{task.pid.value_()}"

    def label(self):
        """What tells it from others."""
        return f"id {self.number()}" if self.co.work else f"called by {self.thread()}"

    def size(self):
        """The size of its stack in bytes."""
        return self.co.slot.pages.value_() * PAGE_SIZE if self.co.slot else 0

    def rests(self):
        """Whether it does not run, and has a stack or a packed one."""
        return self.state in ("waiting", "packed", "runnable") and \
            bool(self.co.slot or self.co.packed)

    def used(self):
        """The bytes of its stack in use; known only if it does not run."""
        if not self.rests():
            return 0
        top = self.co.slot.hi.value_() if self.co.slot else self.home.top
        return top - self.co.ctx.sp.value_()

    def refusal(self, words):
        """Why the last move was refused, if this version of costack keeps that."""
        try:
            return words.get(self.co.refusal.value_(), "?") if self.co.refusal.value_() else "-"
        except AttributeError:
            return "-"

    def registers(self):
        """The registers with which it will continue."""
        if not self.co.slot:
            self.home.put(self.co)
        stack = self.co.ctx.sp.value_()
        value = {name: self.prog.read_u64(stack + 8 * i) for i, name in enumerate(SAVED)}
        value["sp"] = stack + 8 * len(SAVED)
        value["cs"] = 0x10
        value["ss"] = 0x18
        return Object(self.prog, "struct pt_regs", value)

    def trace(self):
        """Its frames, the innermost first."""
        return list(self.prog.stack_trace(self.registers()))


class Names:
    """Names of functions and frames."""

    def __init__(self, prog):
        self.prog = prog
        self.modules = Modules(prog)
        self.known = {}

    def symbol(self, address):
        """Its symbol, the offset in there, and the module."""
        try:
            symbol = self.prog.symbol(address)
        except LookupError:
            return f"{address:#x}", None, self.modules.name(address)
        return symbol.name, f"+{address - symbol.address:#x}/{symbol.size:#x}", \
            self.modules.name(address)

    def function(self, address):
        """The name of a coroutine's function."""
        if address not in self.known:
            name, _, module = self.symbol(address)
            self.known[address] = name + module
        return self.known[address]

    def frame(self, frame):
        """A frame as a line of a trace."""
        name, offset, module = self.symbol(frame.pc)
        if frame.is_inline or offset is None:
            name, offset = frame.name or name, " (inlined)" if frame.is_inline else ""
        try:
            path, line, _ = frame.source()
            return f"{name}{offset}{module} {path}:{line}"
        except LookupError:
            return name + offset + module


def check(prog):
    """Ends with an error if drgn does not know costack."""
    try:
        prog.variable("arena", "module/arena.c")
        prog.constant("COSTACK_WAIT_ARMED")
        prog.type("struct costack")
    except LookupError as error:
        die(f"costack was not loaded, or its debug information is missing: {error}",
            "name the module that was loaded: drgn ... -s build/costack.ko")


def slots(prog):
    """All slots of the arena."""
    chunk = prog.variable("arena", "module/arena.c").chunks
    while chunk:
        yield from chunk.slots
        chunk = chunk.next


def coroutines(prog):
    """All coroutines: of each slot the one whose stack is there now; and those without one."""
    home = Home(prog)
    states = {value: name.replace("COSTACK_", "").lower()
              for name, value in prog.type("enum costack_state").enumerators}
    for slot in slots(prog):
        co = slot.co.read_()
        # A stack that a move has left may still name its coroutine.
        if co and co.slot == slot.address_of_():
            found = Coroutine(home, co, states)
            if found.is_live():
                yield found
    cache = prog.variable("cache", "module/costack.c")
    for co in slab_cache_for_each_allocated_object(cache, "struct costack"):
        found = Coroutine(home, co, states)
        if not co.slot and found.is_live():
            yield found


def words_of(prog, enum, prefix):
    """The names of an enum, as words by number."""
    try:
        enumerators = prog.type("enum " + enum).enumerators
    except LookupError:
        return {}
    return {value: name.replace(prefix, "").lower() for name, value in enumerators}


def waits(co, words):
    """What a parked coroutine waits for: costack_waits() in module/waiter.c."""
    if co.state not in ("waiting", "packed"):
        return "-"
    co = co.co
    if co.waits:
        return words.get(co.waits.value_(), "?")
    return "channel" if co.roots.sudog.lock else "unpark"


def show_list(prog):
    """Prints a line for each coroutine."""
    names = Names(prog)
    refusals = words_of(prog, "costack_refusal", "COSTACK_REFUSED_")
    kinds = words_of(prog, "costack_waits", "COSTACK_WAITS_")
    print(COLUMNS % HEADER)
    for co in coroutines(prog):
        print(COLUMNS % (co.number(), co.name, co.state, co.size(), co.used(),
                         co.co.deepest.value_(), co.co.growths.value_(), co.refusal(refusals),
                         waits(co, kinds), co.thread(), names.function(co.function)))


def traces(prog):
    """Traces as tuples of program counters, and the coroutines that have each."""
    same = collections.defaultdict(list)
    frames = {}
    for co in coroutines(prog):
        if not co.rests():
            continue
        try:
            trace = co.trace()
        except FaultError as error:
            print(f"# {co.label()}: its stack is not there: {error}")
            continue
        except Exception as error:      # drgn has no narrower one for this
            if "orc_header" not in str(error):
                raise
            die(f"this drgn does not know the unwind tables of this kernel: {error}",
                "use a newer drgn; list needs no unwind tables")
        frames_of = tuple((frame.pc, frame.name) for frame in trace)
        key = (co.state, bool(co.co.work), co.function, frames_of)
        same[key].append(co)
        frames.setdefault(key, trace)
    for key, members in sorted(same.items(), key=lambda item: -len(item[1])):
        yield members, frames[key]


def show_traces(prog):
    """Prints each trace once."""
    names = Names(prog)
    for members, trace in traces(prog):
        first = members[0]
        used = max(co.used() for co in members)
        print(f"{len(members)} {first.state}: {names.function(first.function)}, "
              f"at most {used} bytes, {first.label()}"
              + (" and others" if len(members) > 1 else ""))
        for frame in trace:
            print("    " + names.frame(frame))
        print()


def show_folded(prog):
    """Prints each trace in a line, the outermost frame first."""
    names = Names(prog)
    for members, trace in traces(prog):
        stack = [frame.name or names.symbol(frame.pc)[0] for frame in reversed(trace)]
        print(";".join(stack), len(members))


def main(prog, words):
    """Runs the command."""
    commands = {"list": show_list, "traces": show_traces, "folded": show_folded}
    if len(words) > 1 or (words and words[0] not in commands):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    check(prog)
    commands[words[0] if words else "list"](prog)


if "prog" not in globals():
    die("this is a script of drgn's",
        "run it so: drgn -c DUMP -s VMLINUX -s COSTACK.KO " + sys.argv[0])
main(globals()["prog"], sys.argv[1:])
