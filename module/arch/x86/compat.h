/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels on the processor's side; see ../../compat.h. For assembly
 * too.
 */
#ifndef _COSTACK_X86_COMPAT_H
#define _COSTACK_X86_COMPAT_H

#include <asm/orc_types.h>

#ifdef __ASSEMBLY__

#include <asm/unwind_hints.h>

/*
 * 6.4 splits UNWIND_HINT_EMPTY in two, for where a walk ends and for where none can be,
 * and brings ORC_TYPE_CALL.
 */
#ifdef ORC_TYPE_CALL
#define COSTACK_HINT_END_OF_STACK	UNWIND_HINT_END_OF_STACK
#else
#define COSTACK_HINT_END_OF_STACK	UNWIND_HINT_EMPTY
#endif

#else /* !__ASSEMBLY__ */

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/invpcid.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

/*
 * Is @orc that of a frame as calls make it: with a caller, and without registers? 6.4 makes
 * the end of a stack a type, and says in the entry what state->signal was set by before.
 */
static inline bool costack_orc_call(const struct orc_entry *orc)
{
#ifdef ORC_TYPE_CALL
	return orc->type == ORC_TYPE_CALL && !orc->signal;
#else
	return orc->type == UNWIND_HINT_TYPE_CALL && !orc->end;
#endif
}

/* 6.6 makes apic_read() a static call whose key modules cannot have. */
static __always_inline u32 costack_apic_read(u32 reg)
{
	return apic->read(reg);
}

/*
 * 6.15 moves the canary from %gs:40 to a variable, and brings DECLARE_PER_CPU_CACHE_HOT();
 * modules know it by the name that the compiler is told.
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
 * Forget all translations, the global ones too, on this CPU: __flush_tlb_all(), which is
 * exported to KVM only by 7.3. A change of CR4.PGE does so, too. Interrupts are off.
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
 * 6.2 brings call depth tracking: return thunks count at %gs, which may be the user's
 * where the guard is asked.
 */
static inline bool costack_counts_calls(void)
{
#ifdef X86_FEATURE_CALL_DEPTH
	return boot_cpu_has(X86_FEATURE_CALL_DEPTH);
#else
	return false;
#endif
}

/* 6.9 brings FRED. */
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
