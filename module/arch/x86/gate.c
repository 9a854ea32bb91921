// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: direct #DF to the guard, and back to the kernel at exit.
 *
 * The module points vector 8 of the IDT at costack_guard_entry, and keeps the IST stack.
 * All CPUs share one table, so hotplug and resume need nothing. The new entry point is in
 * the same 4 GiB as the old one, so one 8-byte store changes the gate, and no CPU ever
 * sees half of it.
 *
 * With page-table isolation a #DF may occur on user page tables (at an IRET to a 16-bit
 * stack, or in the first instructions of an entry), which do not map module text; any user
 * can make that happen. So with isolation the module leaves the gate unchanged: the kernel's
 * entry is mapped, switches to the kernel's page tables and GS, and calls exc_double_fault().
 * The module points that call at costack_guard_called. Each growth then pays for the kernel's
 * entry too, which reads and writes GS, so the module does this only with isolation.
 *
 * Table and text are mapped read-only; the module writes them through a second mapping.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/cc_platform.h>
#include <linux/io.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/security.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/apicdef.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/hypervisor.h>
#include <asm/i8259.h>
#include <asm/mshyperv.h>
#include <asm/page_64_types.h>
#include <asm/pgtable.h>
#include <asm/trapnr.h>

#include <asm/costack.h>

#include "compat.h"
#include "entry.h"
#include "guard.h"

asmlinkage void costack_guard_entry(void);
asmlinkage void costack_guard_called(void);

/* Both are set before the guard can run. */
unsigned long costack_guard_kernel __ro_after_init;
const gate_desc *costack_idt __ro_after_init;	/* as the CPU has it, read-only */

/* A writable mapping, and in it either the gate or the operand of the call; the other is NULL. */
static void *mapping __ro_after_init;
static gate_desc *gate __ro_after_init;
static s32 *distance __ro_after_init;

/* The address that @distance is relative to. */
static unsigned long after_call __ro_after_init;

/* === Checking === */

/* Does this CPU take interrupts from the 8259? They arrive at LINT0. */
static void asks_8259(void *any)
{
	u32 lint0 = costack_apic_read(APIC_LVT0);

	if (!(lint0 & APIC_LVT_MASKED) && GET_APIC_DELIVERY_MODE(lint0) == APIC_MODE_EXTINT)
		WRITE_ONCE(*(bool *)any, true);
}

/* Do the 8259s pass on any interrupt? */
static bool __init passes_8259(void)
{
	return (u8)~(inb(PIC_MASTER_IMR) | BIT(PIC_CASCADE_IR)) || (u8)~inb(PIC_SLAVE_IMR);
}

/*
 * The kernel changes LINT0 only during boot. With an I/O APIC it may leave LINT0 as the firmware
 * had it, if it needs no timer but the CPU's (check_timer()), but it masks the lines of the 8259s
 * that it does not use. Where it is told that there are no 8259s, it does not touch them
 * (acpi_generic_reduced_hw_init()); Firecracker has them all the same.
 */
static bool __init uses_8259(void)
{
	bool any = false;

	on_each_cpu(asks_8259, &any, 1);
	return nr_legacy_irqs() && any && passes_8259();
}

/* Does the hypervisor end interrupts when it delivers them? See hv_synic_enable_regs(). */
static bool __init ends_interrupts(void)
{
#if IS_ENABLED(CONFIG_HYPERV)
	return hypervisor_is_type(X86_HYPER_MS_HYPERV) &&
	       !(ms_hyperv.hints & HV_DEPRECATING_AEOI_RECOMMENDED);
#else
	return false;
#endif
}

/*
 * Lockdown keeps even root from writing to kernel memory with a debugger. Changing the gate is
 * such a write.
 */
static int __init check_lockdown(void)
{
	if (!security_locked_down(LOCKDOWN_DBG_WRITE_KERNEL))
		return 0;
	pr_err("cannot load: the kernel is locked down, and costack would rewrite its #DF gate; boot with lockdown=none, and without Secure Boot\n");
	return -EPERM;
}

static int __init check_machine(void)
{
	const char *why = NULL;

	if (!IS_ENABLED(CONFIG_UNWINDER_ORC))
		why = "the kernel has no ORC unwinder (CONFIG_UNWINDER_ORC)";
	else if (!IS_ENABLED(CONFIG_VMAP_STACK))
		why = "the kernel's stacks are not in vmalloc space (CONFIG_VMAP_STACK)";
	else if (!boot_cpu_has(X86_FEATURE_APIC))
		why = "no local APIC (booted with nolapic?), so lost interrupts cannot be found";
	else if (boot_cpu_has(X86_FEATURE_XENPV))
		why = "this is a Xen PV guest: it has no IDT of its own";
	else if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT) ||
		 boot_cpu_has(X86_FEATURE_TDX_GUEST))
		why = "this is an encrypted guest: reading the APIC faults by itself";
	else if (costack_uses_fred())
		why = "FRED is in use: faults do not come through the IDT; boot with fred=off";
	else if (uses_8259())
		why = "an 8259 interrupts the CPU (noapic?), so lost interrupts cannot be found";
	else if (ends_interrupts())
		why = "Hyper-V ends interrupts itself (AutoEOI), so lost ones cannot be found";
	else if (costack_counts_calls())
		why = "call depth tracking may use a user's %gs; boot without any =stuff argument";
	if (!why)
		return 0;
	pr_err("cannot load: %s\n", why);
	return -EOPNOTSUPP;
}

/* Check that gate 8 is as the kernel made it: present, on the #DF stack, with its handler. */
static int __init check_gate(const gate_desc *df, struct entry_text *entry)
{
	char name[KSYM_SYMBOL_LEN];

	if (!df->bits.p || df->bits.ist != IST_INDEX_DF + 1) {
		pr_err("cannot load: the #DF gate has no IST stack\n");
		return -EOPNOTSUPP;
	}
	if (!costack_entry_find(gate_offset(df), "asm_exc_double_fault", entry)) {
		sprint_symbol(name, gate_offset(df));
		pr_err("cannot load: the #DF gate leads to %s, not to the kernel's entry\n", name);
		return -EBUSY;
	}
	return 0;
}

/* === Taking over === */

/* Make a second mapping of one or two pages; @page contains the byte at @addr. */
static void *__init map_writable(unsigned long addr, struct page *page, size_t bytes)
{
	struct page *pages[] = { page, page + 1 };
	unsigned int nr = offset_in_page(addr) + bytes > PAGE_SIZE ? 2 : 1;

	mapping = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	if (!mapping) {
		pr_err("cannot load: the #DF gate could not be mapped\n");
		return NULL;
	}
	return mapping + offset_in_page(addr);
}

/* Point gate 8 at @handler: only the low 8 bytes differ. */
static void set_gate(unsigned long handler)
{
	gate_desc new = *gate;
	u64 low;

	new.offset_low = (u16)handler;
	new.offset_middle = (u16)(handler >> 16);
	memcpy(&low, &new, sizeof(low));
	WRITE_ONCE(*(u64 *)gate, low);
}

static int __init take_gate(const gate_desc *df)
{
	unsigned int level;
	pte_t *ptep = lookup_address((unsigned long)df, &level);

	if (gate_offset(df) >> 32 != (unsigned long)costack_guard_entry >> 32) {
		pr_err("cannot load: module text is too far from kernel text\n");
		return -EOPNOTSUPP;
	}
	if (!ptep || level != PG_LEVEL_4K || !pte_present(*ptep)) {
		pr_err("cannot load: the IDT is not mapped by a 4 KiB page\n");
		return -EOPNOTSUPP;
	}
	gate = map_writable((unsigned long)df, pfn_to_page(pte_pfn(*ptep)), sizeof(*df));
	if (!gate)
		return -ENOMEM;
	costack_guard_kernel = gate_offset(df);
	set_gate((unsigned long)costack_guard_entry);
	return 0;
}

/* All other CPUs wait with interrupts off, so none executes the call while it is half written. */
static int set_distance(void *value)
{
	WRITE_ONCE(*distance, (long)value);
	return 0;
}

static void interrupted(void *unused)
{
}

/* Point the call at @handler. An IRET then makes each CPU execute the new text. */
static void set_call(unsigned long handler)
{
	stop_machine(set_distance, (void *)(handler - after_call), NULL);
	on_each_cpu(interrupted, NULL, 1);
}

static int __init take_call(const struct entry_text *entry)
{
	struct entry_text callee;
	unsigned long at;

	after_call = costack_entry_call(entry, "exc_double_fault", &callee);
	if (!after_call) {
		pr_err("cannot load: costack does not know this kernel's #DF entry; boot with pti=off\n");
		return -EOPNOTSUPP;
	}
	at = after_call - sizeof(*distance);
	distance = map_writable(at, virt_to_page((void *)at), sizeof(*distance));
	if (!distance)
		return -ENOMEM;
	costack_guard_kernel = callee.start;
	set_call((unsigned long)costack_guard_called);
	return 0;
}

/**
 * costack_arch_init() - check the machine and direct #DF to the guard
 *
 * Context: Process context; may sleep.
 * Return: 0; -EPERM, -EOPNOTSUPP or -EBUSY, with a message, on a machine that is not
 * supported; -ENOMEM.
 */
int __init costack_arch_init(void)
{
	struct entry_text entry;
	struct desc_ptr ptr;
	int err;

	err = check_lockdown() ?: check_machine();
	if (err)
		return err;
	store_idt(&ptr);
	costack_idt = (const gate_desc *)ptr.address;
	err = check_gate(&costack_idt[X86_TRAP_DF], &entry) ?:
	      costack_refault_init(&costack_idt[X86_TRAP_PF]);
	if (err)
		return err;
	if (boot_cpu_has(X86_FEATURE_PTI))
		return take_call(&entry);
	return take_gate(&costack_idt[X86_TRAP_DF]);
}

/**
 * costack_arch_exit() - direct #DF to the kernel again
 *
 * The whole fault path runs with interrupts off. So once every CPU has taken an
 * interrupt after this change, no CPU is in the fault path any more.
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_arch_exit(void)
{
	if (distance) {
		set_call(costack_guard_kernel);
	} else {
		set_gate(costack_guard_kernel);
		on_each_cpu(interrupted, NULL, 1);
	}
	vunmap(mapping);
}
