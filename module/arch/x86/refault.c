// SPDX-License-Identifier: GPL-2.0
/*
 * Refault: raise a page fault again if its address was lost.
 *
 * A page fault on a coroutine stack, for example from a user access, may find room for
 * its frame but none for what its handler pushes next. That push raises another page
 * fault, whose address replaces the first one in CR2, and then #DF. If the handler
 * continued after growth, it would read the wrong address from CR2.
 *
 * So the handler must not continue. It is in its first instructions and has only saved
 * registers. This code undoes the page fault, and the instruction that caused it raises
 * it again. These are the places where the handler can be interrupted, and what is saved there:
 *
 *	asm_exc_page_fault	"call error_entry": none.
 *				"call exc_page_fault": all registers
 *	error_entry		some. Most entries call it, so its return address tells
 *				whether this is a page fault
 *	a thunk			that error_entry called, or returns through: all
 *	exc_page_fault		up to where it reads CR2, which it does first: all
 *
 * A register that is not saved is as it was at the page fault.
 *
 * Interrupts are off at all these places. An NMI restores CR2.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/string.h>
#include <asm/desc.h>
#include <asm/segment.h>
#include <asm/trapnr.h>

#include "../../stats.h"
#include "entry.h"
#include "guard.h"

#define JMP32_OPCODE	0xe9
#define JMP32_BYTES	5
#define JMP8_OPCODE	0xeb
#define JMP8_BYTES	2

/* Upper bounds for exc_page_fault: bytes pushed, and bytes of code, before it reads CR2. */
#define READ_BYTES	128
#define READ_CODE	64

static struct entry_text entry __ro_after_init;	/* asm_exc_page_fault */
static struct entry_text save __ro_after_init;	/* error_entry */
static struct entry_text read __ro_after_init;	/* exc_page_fault, until CR2 is read */

/* Return addresses of the two calls in asm_exc_page_fault. */
static unsigned long after_save __ro_after_init;
static unsigned long after_read __ro_after_init;

/* Number of saved words below the error code and the frame that the CPU has pushed. */
#define NR_SAVED	(offsetof(struct pt_regs, orig_ax) / sizeof(long))

static __always_inline bool inside(const struct entry_text *text, unsigned long ip)
{
	return ip >= text->start && ip < text->end;
}

static __always_inline unsigned long word_at(unsigned long addr)
{
	return READ_ONCE_NOCHECK(*(const unsigned long *)addr);
}

/*
 * Count the pushes of error_entry before @ip. All its pushes are at its beginning. Between them
 * are only "mov 8(%rsp),%rsi" and "mov %rdi,8(%rsp)", which swap the return address and %rdi.
 */
static unsigned int pushes_before(unsigned long ip)
{
	const u8 *insn = (const u8 *)save.start;
	unsigned int pushes = 0;

	while ((unsigned long)insn < ip) {
		if (insn[0] == 0x48 && insn[2] == (insn[1] == 0x8b ? 0x74 : 0x7c)) {
			insn += 5;
			continue;
		}
		insn += insn[0] == 0x41;
		if ((*insn++ & 0xf8) != 0x50)
			break;
		pushes++;
	}
	return pushes;
}
NOKPROBE_SYMBOL(pushes_before);

/*
 * If @regs are those of a page fault's handler, return the address of its struct pt_regs, else 0.
 * @saved: out: are the words of that struct at and above the stack pointer valid.
 */
static unsigned long find_regs(const struct pt_regs *regs, bool *saved)
{
	unsigned long sp = regs->sp;
	unsigned int pushes;

	*saved = true;
	if (inside(&entry, regs->ip)) {
		*saved = regs->ip >= after_save;
		return *saved ? sp : sp - NR_SAVED * sizeof(long);
	}
	if (inside(&read, regs->ip)) {
		/* Its first argument, the pt_regs, lies right above its return address. */
		if (regs->di - sp > READ_BYTES ||
		    word_at(regs->di - sizeof(long)) != after_read)
			return 0;
		return regs->di;
	}
	if (inside(&save, regs->ip)) {
		pushes = pushes_before(regs->ip);
		*saved = pushes;
		/* A mov saves %rdi, and the last push is that of the return address. */
		if ((pushes && pushes < NR_SAVED ? regs->si : word_at(sp)) != after_save)
			return 0;
		return sp + (pushes + 1 - NR_SAVED) * sizeof(long);
	}
	if (word_at(sp) == after_save)
		return sp + sizeof(long);
	if (inside(&save, word_at(sp)) && word_at(sp + sizeof(long)) == after_save)
		return sp + 2 * sizeof(long);
	return 0;
}
NOKPROBE_SYMBOL(find_regs);

/**
 * costack_refault() - undo a page fault whose handler found no room
 * @regs: the interrupted registers, on a stack that has room now; if they are those of a page
 *	fault's handler, they are replaced by those of the code that raised the page fault
 *
 * Context: #DF stack, interrupts off, the fault is a coroutine's.
 * Return: false if the page fault cannot be undone, and its address is lost.
 */
bool costack_refault(struct pt_regs *regs)
{
	unsigned long *words = (unsigned long *)regs, from;
	const struct pt_regs *fault;
	unsigned int i;
	bool saved;

	from = find_regs(regs, &saved);
	if (likely(!from))
		return true;
	fault = (const struct pt_regs *)from;
	/* The CPU aligns its frame to 16 bytes, and a coroutine faults in kernel mode only. */
	if ((unsigned long)(fault + 1) != ALIGN_DOWN(READ_ONCE_NOCHECK(fault->sp), 16) ||
	    word_at((unsigned long)&fault->cs) != __KERNEL_CS)
		return false;
	for (i = 0; i < NR_SAVED; i++)
		if (saved && from + i * sizeof(long) >= regs->sp)
			words[i] = word_at(from + i * sizeof(long));
	regs->ip = READ_ONCE_NOCHECK(fault->ip);
	regs->flags = READ_ONCE_NOCHECK(fault->flags);
	regs->ss = word_at((unsigned long)&fault->ss);
	regs->sp = READ_ONCE_NOCHECK(fault->sp);
	costack_stat_inc(COSTACK_STAT_REFAULTS);
	return true;
}
NOKPROBE_SYMBOL(costack_refault);

/* Return the target of the jump at @insn, or NULL if @insn is no jump. */
static const u8 * __init jump_target(const u8 *insn)
{
	if (insn[0] == JMP32_OPCODE)
		return insn + JMP32_BYTES + *(const s32 *)(insn + 1);
	if (insn[0] == JMP8_OPCODE)
		return insn + JMP8_BYTES + *(const s8 *)(insn + 1);
	return NULL;
}

/*
 * Shorten @text to the code that runs before "mov %cr2,REG". With CONFIG_X86_FRED the function
 * first tests for FRED, and without FRED it jumps over some code to that instruction. Then
 * @text ends at the jump.
 */
static bool __init find_read_cr2(struct entry_text *text)
{
	const u8 *start = (const u8 *)text->start, *reading = start, *insn;

	while (reading[0] != 0x0f || reading[1] != 0x20 || (reading[2] & 0xf8) != 0xd0) {
		reading++;
		if ((unsigned long)reading + 3 > text->end)
			return false;
	}
	for (insn = start; insn < reading && insn < start + READ_CODE; insn++)
		if (jump_target(insn) == reading)
			break;
	text->end = (unsigned long)insn;
	return insn < start + READ_CODE;
}

/**
 * costack_refault_init() - find the parts of the page-fault handler
 * @gate: vector 14 of the IDT
 *
 * Context: Process context.
 * Return: 0, or -EOPNOTSUPP, with a message, if the handler is not a known one.
 */
int __init costack_refault_init(const gate_desc *gate)
{
	if (costack_entry_find(gate_offset(gate), "asm_exc_page_fault", &entry)) {
		after_save = costack_entry_call(&entry, "error_entry", &save);
		after_read = costack_entry_call(&entry, "exc_page_fault", &read);
	}
	if (after_save && after_read > after_save && pushes_before(save.end) == NR_SAVED &&
	    find_read_cr2(&read))
		return 0;
	pr_err("cannot load: costack does not know this kernel's page-fault entry\n");
	return -EOPNOTSUPP;
}
