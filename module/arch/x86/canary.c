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
 * @canary: the new one
 *
 * The thread has it in its task_struct, where the context switch takes it from,
 * and the CPU has the running thread's at a place relative to %gs. Frames made before must
 * not be left before it is changed back: who calls is built without the protector.
 *
 * Context: Process context.
 * Return: the old one.
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
