# SPDX-License-Identifier: GPL-2.0
"""x86-64 instructions: decoded by capstone, and described in the terms of flow.py.

An instruction is decoded once for all places that have the same bytes. So nothing here
depends on addresses or relocations; fields that may have a relocation are named by their
offsets.
"""

import capstone
from capstone import x86 as cs_x86

# Operands are tuples; the first item is the kind of operand.
REG, IMM, MEM, VEC, OTHER = range(5)
#   REG, number (0..15), bytes, 1 if it is ah, ch, dh, bh
#   IMM, value (signed), bytes
#   MEM, base, index, scale, displacement, segment, bytes, writes: base and index are
#        register numbers, NONE or RIP
#   VEC, number, bytes
#   OTHER, name: a segment, control, debug or mask register
NONE, RIP = -1, -2

RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(8)
R8, R9, R10, R11, R12, R13, R14, R15 = range(8, 16)
NAMES = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
         "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
CALLEE_SAVED = (RBX, RBP, R12, R13, R14, R15)
CALLER_SAVED = (RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11)
# The registers for arguments, in order; the last has the frame of a nested function.
ARGUMENTS = (RDI, RSI, RDX, RCX, R8, R9, R10)

# Kinds of control flow.
CALL, JUMP, BRANCH, RET, TRAP, HALT = "call", "jump", "branch", "ret", "trap", "halt"


def _register_table():
    table = {}
    for number, name in enumerate(NAMES):
        table[name] = (REG, number, 8, 0)
        if number < 8:
            short = name[1:]
            table["e" + short] = (REG, number, 4, 0)
            table[short] = (REG, number, 2, 0)
            low = short[0] + "l" if number < 4 else short + "l"
            table[low] = (REG, number, 1, 0)
            if number < 4:
                table[short[0] + "h"] = (REG, number, 1, 1)
        else:
            table[name + "d"] = (REG, number, 4, 0)
            table[name + "w"] = (REG, number, 2, 0)
            table[name + "b"] = (REG, number, 1, 0)
    for number in range(32):
        for letter, size in (("x", 16), ("y", 32), ("z", 64)):
            table[f"{letter}mm{number}"] = (VEC, number, size)
        if number < 8:
            table[f"mm{number}"] = (VEC, 32 + number, 8)
    return table


REGISTERS = _register_table()

BRANCHES = {"jae", "ja", "jbe", "jb", "jcxz", "jecxz", "je", "jge", "jg", "jle", "jl", "jne",
            "jno", "jnp", "jns", "jo", "jp", "jrcxz", "js", "loop", "loope", "loopne"}
TRAPS = {"ud2", "ud2b", "ud0", "ud1", "int3"}
HALTS = {"iret", "iretd", "iretq", "sysret", "sysretq", "sysexit", "retf", "retfq", "ljmp"}

# These write only flags, or nothing.
READERS = {"cmp", "test", "bt", "nop", "pause", "lfence", "mfence", "sfence", "clflush",
           "clflushopt", "clwb", "prefetch", "prefetchw", "prefetcht0", "prefetcht1",
           "prefetcht2", "prefetchnta", "cli", "sti", "cld", "std", "clac", "stac", "clc", "stc",
           "cmc", "endbr64", "endbr32", "hlt", "invlpg", "invpcid", "wbinvd", "invd", "wrmsr",
           "lgdt", "lidt", "lldt", "ltr", "lmsw", "clts", "verr", "verw", "swapgs", "monitor",
           "mwait", "monitorx", "mwaitx", "wait", "fwait", "sahf", "xsetbv", "wrfsbase",
           "wrgsbase", "out", "ptest", "vptest", "comiss", "comisd", "ucomiss", "ucomisd",
           "emms", "vzeroupper", "fninit", "fnclex", "fxrstor", "fxrstor64", "xrstor",
           "xrstor64", "xrstors", "xrstors64", "ldmxcsr", "vldmxcsr", "fldcw", "fnop", "clgi",
           "stgi", "vmxon", "vmclear", "vmptrld", "invept", "invvpid", "skinit"}

# Registers that these write besides their operands; capstone does not know all of them.
IMPLICIT = {"cpuid": (RAX, RBX, RCX, RDX), "rdtsc": (RAX, RDX), "rdtscp": (RAX, RCX, RDX),
            "rdmsr": (RAX, RDX), "rdpmc": (RAX, RDX), "xgetbv": (RAX, RDX),
            "rdpkru": (RAX, RDX), "lahf": (RAX,), "xlatb": (RAX,), "in": (),
            "syscall": (RAX, RCX, R11), "vmcall": (RAX,), "vmmcall": (RAX,), "int": (RAX,),
            "pcmpestri": (RCX,), "pcmpistri": (RCX,), "vpcmpestri": (RCX,),
            "vpcmpistri": (RCX,)}

# These make a number from their operands, or read a part of memory.
MAKE_NUMBERS = {"popcnt", "lzcnt", "tzcnt", "bsf", "bsr", "rdrand", "rdseed", "crc32", "lar",
                "lsl", "str", "sldt", "smsw", "pmovmskb", "vpmovmskb", "movmskps", "movmskpd",
                "rdpid", "rdfsbase", "rdgsbase", "sidt", "sgdt", "vmread", "stmxcsr",
                "vstmxcsr", "fnstcw", "fnstsw", "fxsave", "fxsave64", "xsave", "xsave64",
                "xsavec", "xsavec64", "xsaves", "xsaves64", "xsaveopt", "xsaveopt64",
                "vmptrst", "in"}

# These move or change bits, so that the result of a stack address is not plain.
SHIFTS = {"mulx", "rorx", "sarx", "shlx", "shrx", "shld", "shrd", "rcl", "rcr", "ror", "rol",
          "bswap", "movbe"}
SCRAMBLES = SHIFTS | {"andn", "bextr", "blsi", "blsmsk", "blsr", "bzhi", "pdep", "pext", "adcx",
                      "adox", "btc", "btr", "bts"}

# These may write more than their operand, or other memory.
REACH_FAR = {"bts", "btr", "btc", "fxsave", "fxsave64", "xsave", "xsave64", "xsavec", "xsavec64",
             "xsaves", "xsaves64", "xsaveopt", "xsaveopt64", "fnsave", "fsave", "fnstenv",
             "sidt", "sgdt"}

# These have handlers of their own in flow.py.
PLAIN = {"mov", "movabs", "movzx", "movsx", "movsxd", "lea", "push", "pop", "pushfq", "popfq",
         "pushf", "popf", "leave", "enter", "xchg", "cdqe", "cwde", "cbw", "cqo", "cdq", "cwd",
         "add", "sub", "inc", "dec", "neg", "not", "and", "or", "xor", "adc", "sbb", "imul",
         "mul", "div", "idiv", "shl", "sal", "shr", "sar", "xadd", "cmpxchg", "cmpxchg8b",
         "cmpxchg16b", "movnti"}
STRINGS = {"movs": "movs", "stos": "stos", "lods": "lods", "scas": "scas", "cmps": "cmps",
           "ins": "ins", "outs": "outs"}


class Insn:
    """An instruction. @name has no prefixes; @kind is a kind of control flow or None."""

    __slots__ = ("size", "name", "ops", "rep", "lock", "kind", "target", "disp_at", "imm_at",
                 "implicit", "known", "text", "condition", "notrack", "reads", "writes")

    def __init__(self, raw):
        self.size = raw.size
        words = raw.mnemonic.split()
        self.name = words[-1]
        self.text = f"{raw.mnemonic} {raw.op_str}".strip()
        self.rep = words[0] if words[0].startswith("rep") else ""
        self.lock = words[0] == "lock"
        self.notrack = raw.prefix[1] == 0x3e
        self.disp_at, self.imm_at = raw.disp_offset, raw.imm_offset
        self.condition = ""
        self.ops = tuple(_operand(raw, operand) for operand in raw.operands)
        self.target = None
        self._classify(raw)
        self._note_registers(raw)

    def _note_registers(self, raw):
        """Sets of registers, as bits: those that may be read, and those certainly overwritten."""
        read, written = raw.regs_access()
        self.reads = self.writes = 0
        for reg in read:
            known = REGISTERS.get(raw.reg_name(reg), (OTHER,))
            if known[0] == REG:
                self.reads |= 1 << known[1]
        for reg in written:
            known = REGISTERS.get(raw.reg_name(reg), (OTHER,))
            if known[0] == REG and known[2] >= 4 and self.name != "cmov":
                self.writes |= 1 << known[1]
        if self.name in ("xor", "sub", "sbb") and self.ops[0] == self.ops[1] and \
                self.ops[0][0] == REG:
            self.reads &= ~(1 << self.ops[0][1])
        if self.rep:
            self.reads |= 1 << RCX

    def _classify(self, raw):
        name = self.name
        self.kind = None
        self.implicit = ()
        self.known = True
        if name == "call":
            self.kind = CALL
        elif name == "jmp":
            self.kind = JUMP
        elif name in BRANCHES:
            self.kind = BRANCH
        elif name == "ret":
            self.kind = RET
        elif name in TRAPS:
            self.kind = TRAP
        elif name in HALTS or name == "lcall":
            self.kind = HALT
        if self.kind:
            if self.ops and self.ops[0][0] == IMM and self.kind in (CALL, JUMP, BRANCH):
                self.target = self.ops[0][1] - raw.address
            return
        if name[:3] == "set":
            self.name, self.condition = "set", name[3:]
        elif name[:4] == "cmov":
            self.name, self.condition = "cmov", name[4:]
        elif name[:-1] in STRINGS and name[-1] in "bwdq" and not self.has_vectors():
            self.name = STRINGS[name[:-1]]
        elif name in IMPLICIT:
            self.implicit = IMPLICIT[name]
        elif name not in PLAIN and name not in READERS and name not in MAKE_NUMBERS and \
                name not in SCRAMBLES:
            self.known = self.has_vectors() or name[0] == "f"

    def has_vectors(self):
        """Whether the instruction works on vectors."""
        return any(op[0] == VEC for op in self.ops)

    def memory(self):
        """The memory operand, or None. (String instructions have two.)"""
        for op in self.ops:
            if op[0] == MEM:
                return op
        return None


def _operand(raw, operand):
    if operand.type == cs_x86.X86_OP_REG:
        name = raw.reg_name(operand.reg)
        return REGISTERS.get(name) or (OTHER, name)
    if operand.type == cs_x86.X86_OP_IMM:
        return IMM, operand.imm, operand.size
    mem = operand.mem
    return (MEM, _number(raw, mem.base), _number(raw, mem.index), mem.scale, mem.disp,
            raw.reg_name(mem.segment) if mem.segment else "", operand.size,
            bool(operand.access & capstone.CS_AC_WRITE))


def _number(raw, reg):
    if not reg:
        return NONE
    name = raw.reg_name(reg)
    if name in ("riz", "eiz"):
        return NONE
    if name in ("rip", "eip"):
        return RIP
    known = REGISTERS.get(name)
    if known is None:
        raise ValueError(name)
    return known[1]


class Decoder:
    """Decodes instructions; makes one Insn for all places with the same bytes."""

    def __init__(self):
        self._engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._engine.detail = True
        self._known = {}

    def decode(self, data, offset):
        """The instruction at an offset in some bytes, or None if it is unknown."""
        raw = next(self._engine.disasm(data[offset:offset + 15], 0, 1), None)
        if raw is None:
            return None
        key = bytes(raw.bytes)
        if key not in self._known:
            try:
                self._known[key] = Insn(raw)
            except ValueError:
                self._known[key] = None
        return self._known[key]
