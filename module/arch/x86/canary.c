// SPDX-License-Identifier: GPL-2.0
/*
 * The stack protector's canary.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include <asm/costack.h>

#include "compat.h"

/**
 * costack_arch_canary() - change the canary of the current thread
 * @canary: the new canary
 *
 * The canary of a thread is in its task_struct. The context switch copies it to a per-CPU
 * variable, where functions read it. A function that was entered with the old canary must not
 * return before the canary is changed back, so the caller is built without the protector.
 *
 * Context: Process context.
 * Return: the old canary.
 */
unsigned long costack_arch_canary(unsigned long canary)
{
	unsigned long old = 0;

#ifdef CONFIG_STACKPROTECTOR
	preempt_disable();
	old = current->stack_canary;
	current->stack_canary = canary;
	this_cpu_write(costack_cpu_canary, canary);
	preempt_enable();
#endif
	return old;
}
