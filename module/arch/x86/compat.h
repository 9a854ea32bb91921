/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions that concern the processor; see ../../compat.h.
 * Assembly includes this too.
 */
#ifndef _COSTACK_X86_COMPAT_H
#define _COSTACK_X86_COMPAT_H

#if !defined(CONFIG_X86_64) || !defined(CONFIG_UNWINDER_ORC)
#error "costack needs x86-64 and CONFIG_UNWINDER_ORC: it walks stacks with the ORC tables"
#elif !defined(CONFIG_VMAP_STACK)
#error "costack needs CONFIG_VMAP_STACK: without it an overflow of a kernel stack raises no #DF"
#elif defined(CONFIG_DEBUG_ENTRY)
#error "costack cannot be used with CONFIG_DEBUG_ENTRY: it warns of interrupts on other stacks"
#elif defined(CONFIG_CFI_CLANG) || defined(CONFIG_CFI)
#error "costack is not tested with the control-flow checks of clang (CONFIG_CFI)"
#elif defined(CONFIG_KMSAN)
#error "costack cannot be used with CONFIG_KMSAN: it would take all stacks for one"
#endif

#include <asm/orc_types.h>

#ifdef __ASSEMBLY__

#include <asm/unwind_hints.h>

/*
 * 6.4 splits UNWIND_HINT_EMPTY in two: one hint for the end of a stack, one for code where
 * no walk is possible. It also adds ORC_TYPE_CALL.
 */
#ifdef ORC_TYPE_CALL
#define COSTACK_HINT_END_OF_STACK	UNWIND_HINT_END_OF_STACK
#else
#define COSTACK_HINT_END_OF_STACK	UNWIND_HINT_EMPTY
#endif

#else /* !__ASSEMBLY__ */

#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/version.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/invpcid.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

/*
 * Check that @orc is the entry of an ordinary call frame: it has a caller, and no registers of
 * interrupted code. 6.3 adds the field signal to the entry, and 6.4 makes the end of a stack a
 * type.
 */
static inline bool costack_orc_call(const struct orc_entry *orc)
{
#ifdef ORC_TYPE_CALL
	return orc->type == ORC_TYPE_CALL && !orc->signal;
#elif KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
	return orc->type == UNWIND_HINT_TYPE_CALL && !orc->end && !orc->signal;
#else
	return orc->type == UNWIND_HINT_TYPE_CALL && !orc->end;
#endif
}

/*
 * Not by the kernel's functions: those that read an MSR can be traced and probed, and this runs
 * on the #DF stack. From 6.6 on apic_read() is a static call, too, whose key modules cannot use.
 */
static __always_inline u32 costack_apic_read(u32 reg)
{
	if (x2apic_mode)
		return __rdmsr(APIC_BASE_MSR + (reg >> 4));
	return native_apic_mem_read(reg);
}

/* End the interrupt in service: apic_eoi() is a static call, too. */
static __always_inline void costack_apic_eoi(void)
{
	if (x2apic_mode)
		wrmsr(APIC_BASE_MSR + (APIC_EOI >> 4), APIC_EOI_ACK, 0);
	else
		native_apic_mem_write(APIC_EOI, APIC_EOI_ACK);
}

/*
 * 6.15 moves the canary from %gs:40 to a variable, and adds DECLARE_PER_CPU_CACHE_HOT().
 * Modules use the variable under the name that the compiler gets for the canary.
 */
#ifdef CONFIG_STACKPROTECTOR
#ifdef DECLARE_PER_CPU_CACHE_HOT
DECLARE_PER_CPU(unsigned long, __ref_stack_chk_guard);
#define costack_cpu_canary	__ref_stack_chk_guard
#else
#define costack_cpu_canary	fixed_percpu_data.stack_canary
#endif
#endif

/*
 * Flush all translations on this CPU, global ones too, like __flush_tlb_all(), which 7.3
 * exports to KVM only. Without INVPCID, changing CR4.PGE flushes them. Interrupts are off.
 */
static inline void costack_flush_tlb_local(void)
{
	unsigned long cr4;

	if (boot_cpu_has(X86_FEATURE_INVPCID)) {
		invpcid_flush_all();
		return;
	}
	cr4 = native_read_cr4();
	asm volatile("mov %0, %%cr4" : : "r" (cr4 ^ X86_CR4_PGE) : "memory");
	asm volatile("mov %0, %%cr4" : : "r" (cr4) : "memory");
}

/*
 * 6.2 adds call depth tracking: return thunks count returns in a variable at %gs, which may be
 * the user's when the guard runs.
 */
static inline bool costack_counts_calls(void)
{
#ifdef X86_FEATURE_CALL_DEPTH
	return boot_cpu_has(X86_FEATURE_CALL_DEPTH);
#else
	return false;
#endif
}

/* 6.9 adds FRED. */
static inline bool costack_uses_fred(void)
{
#ifdef X86_FEATURE_FRED
	return cpu_feature_enabled(X86_FEATURE_FRED);
#else
	return false;
#endif
}

#endif /* !__ASSEMBLY__ */

#endif /* _COSTACK_X86_COMPAT_H */
