// SPDX-License-Identifier: GPL-2.0
/*
 * The guard: taking over the #DF gate, and deciding what a #DF was.
 *
 * Vector 8 of the IDT is pointed at costack_guard_entry; the IST stack stays.
 * All CPUs share the one table, so there is nothing to do for hotplug or resume.
 * The table is mapped read-only; it is written through a second mapping of its
 * page. The new entry point is in the same 4 GiB as the old one, so that one
 * 8-byte store changes the gate, and no CPU ever sees half of it.
 *
 * Refused with page-table isolation: a #DF may come on user page tables (an IRET
 * to a 16-bit stack, the first instructions of an entry), which do not map module
 * text. Any user could make that happen.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cc_platform.h>
#include <linux/kernel.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/irq_vectors.h>
#include <asm/page_64_types.h>
#include <asm/pgtable.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include <asm/costack.h>

#include "../../costack.h"
#include "compat.h"
#include "guard.h"

/*
 * Room between the switched-out host context and a struct guard_frame: an
 * interrupt that was lost when the coroutine overflowed is delivered there,
 * while guard_entry.S still reads the frame. 40 bytes, and what alignment takes.
 */
#define HOST_GAP	64

asmlinkage void costack_guard_entry(void);
asmlinkage struct guard_verdict costack_guard_fault(struct pt_regs *regs);
asmlinkage struct guard_verdict costack_guard_newstack(struct guard_frame *frame);

/* Set before the gate is. */
unsigned long costack_guard_kernel __ro_after_init;

static const gate_desc *idt __ro_after_init;	/* as the CPU has it, read-only */
static void *idt_alias __ro_after_init;		/* the same page, writable */

/* === The fault === */

/* Put the frame of a growth that goes on there on the host stack. */
static struct guard_frame *to_host(const struct costack_fault *fault, const struct pt_regs *regs)
{
	unsigned long sp = ALIGN_DOWN(fault->co->host.sp - HOST_GAP, 16);
	struct guard_frame *frame = (struct guard_frame *)sp - 1;

	BUILD_BUG_ON(offsetof(struct guard_frame, regs) != GUARD_FRAME_REGS);
	BUILD_BUG_ON(sizeof(struct guard_frame) % 8);
	frame->fault = *fault;
	frame->regs = *regs;
	frame->fault.sp = &frame->regs.sp;
	frame->fault.words = (unsigned long *)&frame->regs;
	return frame;
}
NOKPROBE_SYMBOL(to_host);

static void make_up(struct pt_regs *regs, const struct costack_fault *fault)
{
	if (likely(fault->vector < 0))
		return;
	costack_note_replay(fault->co, fault->vector, fault->ip);
	costack_replay(regs, idt, fault->vector);
}
NOKPROBE_SYMBOL(make_up);

/**
 * costack_guard_fault() - handle a #DF from kernel mode
 * @regs: what was interrupted
 *
 * Context: #DF stack, interrupts off. GS may be the user's unless the fault is
 * found to be ours, so: no per-CPU access, no stack protector.
 * Return: what guard_entry.S is to do.
 */
asmlinkage struct guard_verdict costack_guard_fault(struct pt_regs *regs)
{
	struct guard_verdict verdict = { .regs = regs, .action = GUARD_KERNEL };
	struct costack_fault fault = {
		.addr		= native_read_cr2(),
		.ip		= regs->ip,
		.sp		= &regs->sp,
		.words		= (unsigned long *)regs,
		.nr_words	= offsetof(struct pt_regs, orig_ax) / sizeof(long),
		.irqs_on	= regs->flags & X86_EFLAGS_IF,
		.vector		= -1,
	};

	switch (costack_fault(&fault)) {
	case COSTACK_RESUME:
		fault.vector = costack_replay_find(regs, fault.addr);
		make_up(regs, &fault);
		if (costack_refault(regs))
			verdict.action = GUARD_RESUME;
		break;
	case COSTACK_TO_HOST:
		fault.vector = costack_replay_find(regs, fault.addr);
		verdict.regs = to_host(&fault, regs);
		verdict.action = GUARD_HOST;
		break;
	default:
		break;
	}
	return verdict;
}
NOKPROBE_SYMBOL(costack_guard_fault);

/**
 * costack_guard_newstack() - go on with a fault on the host stack
 * @frame: from costack_guard_fault()
 *
 * An abort resumes the host where costack_arch_switch() left it, with interrupts
 * on as they were in the coroutine.
 *
 * Context: host stack, interrupts off.
 * Return: what guard_entry.S is to do.
 */
asmlinkage struct guard_verdict costack_guard_newstack(struct guard_frame *frame)
{
	struct pt_regs *regs = &frame->regs;
	struct guard_verdict verdict = { .regs = regs, .action = GUARD_RESUME };

	switch (costack_newstack(&frame->fault)) {
	case COSTACK_RESUME:
		break;
	case COSTACK_ABORT:
		regs->ip = (unsigned long)costack_switch_tail;
		regs->sp = frame->fault.co->host.sp;
		regs->ax = (unsigned long)&frame->fault.co->ctx;
		regs->flags = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
		break;
	default:
		verdict.action = GUARD_KERNEL;
		return verdict;
	}
	make_up(regs, &frame->fault);
	return verdict;
}
NOKPROBE_SYMBOL(costack_guard_newstack);

/* === Taking over the gate === */

static int check_machine(void)
{
	const char *why = NULL;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC))
		why = "the kernel has no ORC unwinder (CONFIG_UNWINDER_ORC)";
	else if (!IS_ENABLED(CONFIG_VMAP_STACK))
		why = "the kernel's stacks are not in vmalloc space (CONFIG_VMAP_STACK)";
	else if (!boot_cpu_has(X86_FEATURE_APIC))
		why = "no local APIC (booted with nolapic?): lost interrupts could not be found";
	else if (boot_cpu_has(X86_FEATURE_XENPV))
		why = "this is a Xen PV guest: it has no IDT of its own";
	else if (boot_cpu_has(X86_FEATURE_PTI))
		why = "page-table isolation hides the #DF gate at times; boot with pti=off";
	else if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT))
		why = "this is an encrypted guest: reading the APIC faults by itself";
	else if (costack_uses_fred())
		why = "FRED is in use: faults do not come through the IDT; boot with fred=off";
	else if (costack_counts_calls())
		why = "call depth tracking uses %gs, maybe a user's; boot without retbleed=stuff";
	if (!why)
		return 0;
	pr_err("cannot load: %s\n", why);
	return -EOPNOTSUPP;
}

/* Is gate 8 what the kernel made it: present, on the #DF stack, its own handler? */
static int check_gate(const gate_desc *gate)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, gate_offset(gate));
	if (!gate->bits.p || gate->bits.ist != IST_INDEX_DF + 1) {
		pr_err("cannot load: the #DF gate has no IST stack\n");
		return -EOPNOTSUPP;
	}
	if (!str_has_prefix(name, "asm_exc_double_fault+0x0/")) {
		pr_err("cannot load: the #DF gate leads to %s\n", name);
		return -EBUSY;
	}
	if (gate_offset(gate) >> 32 != (unsigned long)costack_guard_entry >> 32) {
		pr_err("cannot load: module text is too far from kernel text\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Point gate 8 at @handler: the low 8 bytes hold all of it that differs. */
static void set_gate(unsigned long handler)
{
	gate_desc *gate = (gate_desc *)idt_alias + X86_TRAP_DF;
	gate_desc new = *gate;
	u64 low;

	new.offset_low = (u16)handler;
	new.offset_middle = (u16)(handler >> 16);
	memcpy(&low, &new, sizeof(low));
	WRITE_ONCE(*(u64 *)gate, low);
}

static void *map_writable(unsigned long addr)
{
	unsigned int level;
	pte_t *ptep = lookup_address(addr, &level);
	struct page *page;

	if (!ptep || level != PG_LEVEL_4K || !pte_present(*ptep))
		return NULL;
	page = pfn_to_page(pte_pfn(*ptep));
	return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
}

/**
 * costack_arch_init() - check the machine and take over the #DF gate
 *
 * Context: Process context; may sleep.
 * Return: 0; -EOPNOTSUPP or -EBUSY, with a message, on a machine that this does
 * not know; -ENOMEM.
 */
int __init costack_arch_init(void)
{
	struct desc_ptr ptr;
	int err;

	err = check_machine();
	if (err)
		return err;
	store_idt(&ptr);
	idt = (const gate_desc *)ptr.address;
	err = check_gate(&idt[X86_TRAP_DF]) ?: costack_refault_init(&idt[X86_TRAP_PF]);
	if (err)
		return err;
	idt_alias = map_writable(ptr.address);
	if (!idt_alias) {
		pr_err("cannot load: the IDT could not be mapped\n");
		return -ENOMEM;
	}
	idt_alias += offset_in_page(ptr.address);
	costack_guard_kernel = gate_offset(&idt[X86_TRAP_DF]);
	set_gate((unsigned long)costack_guard_entry);
	return 0;
}

static void interrupted(void *unused)
{
}

/**
 * costack_arch_exit() - give the #DF gate back
 *
 * All of the fault path runs with interrupts off. So once every CPU has taken an
 * interrupt after the gate was put back, none is in it any more.
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_arch_exit(void)
{
	set_gate(costack_guard_kernel);
	on_each_cpu(interrupted, NULL, 1);
	vunmap((void *)((unsigned long)idt_alias & PAGE_MASK));
}
