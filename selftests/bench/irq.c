// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts. An irq_work is raised with interrupts off, and let in.
 *
 *	irq_deliver	from the instruction that enables interrupts to the handler
 *	irq_replay	the same where the delivery finds no room on the stack: the
 *			fault, the growth and the replay come in between
 *
 * The rows measure with the time stamp counter, and convert to ns as the kernel has
 * calibrated it.
 */
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "bench.h"

static u64 enabled, handled;

static void handler(struct irq_work *work)
{
	handled = rdtsc();
	bench_mark();
}

/* Let the interrupt in when *@arg bytes of stack are left. */
static int deliver_body(void *arg)
{
	static DEFINE_IRQ_WORK(work, handler);
	size_t left = *(size_t *)arg;
	unsigned long flags, lo;

	handled = 0;
	bench_quiet();
	local_irq_save(flags);
	irq_work_queue(&work);
	/* Do not compute this before a call that may move the stack: no move would adjust it. */
	lo = ALIGN_DOWN(current_stack_pointer - costack_stack_left(), PAGE_SIZE);
	bench_enable_at(lo + left, &enabled);
	local_irq_restore(flags);
	irq_work_sync(&work);
	return handled ? 0 : -EIO;
}

static s64 deliver(size_t left)
{
	const struct costack_attr attr = { .stack_first = PAGE_SIZE };
	int err = costack_call_attr(&attr, deliver_body, &left);

	return err ?: (s64)div_u64((handled - enabled) * 1000000ULL, tsc_khz);
}

static s64 irq_deliver(unsigned int count)
{
	return deliver(2048);
}

static s64 irq_replay(unsigned int count)
{
	return deliver(16);
}

const struct bench_row bench_irq_rows[] = {
	{ "irq_deliver", irq_deliver, 1 },
	{ "irq_replay", irq_replay, 1 },
	{ }
};
