// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own code at the end of the stack. It is started with more and more bytes
 * left, so that the overflow comes at many places of it. Its text is not movable, it may
 * hold locks or have interrupts off, and it may be the scheduler.
 *
 *	kernel-format STEP	snprintf
 *	kernel-memory STEP	kmalloc, vmalloc
 *	kernel-sort STEP	sort, with a callback to movable text
 *	kernel-file STEP	open and read a file
 *	kernel-mutex STEP	a mutex that another thread has
 *	kernel-sleep STEP	sleep
 *	atomic			growth with interrupts or preemption off
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "items.h"

/* Beyond this, all of the operations fit into what is left. */
#define MOST_LEFT	1600

/* === Operations: each returns 0 if all was as it should be === */

static int format(void *arg)
{
	char text[64];

	snprintf(text, sizeof(text), "%pS %d %s %llx", kfree, -4711, "costack", 0xfeedULL);
	return strncmp(text, "kfree+0x0/", 10) || !strstr(text, " -4711 costack feed");
}

static int memory(void *arg)
{
	char *small = kmalloc(100, GFP_KERNEL), *large = vmalloc(5 * PAGE_SIZE);
	int ret = !small || !large;

	if (!ret) {
		memset(small, 1, 100);
		memset(large, 2, 5 * PAGE_SIZE);
		ret = small[99] != 1 || large[5 * PAGE_SIZE - 1] != 2;
	}
	kfree(small);
	vfree(large);
	return ret;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int sorting(void *arg)
{
	int numbers[24], i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = (i * 7) % ARRAY_SIZE(numbers);
	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		ret |= numbers[i] != i;
	return ret;
}

/* Open and read; the number itself says nothing. */
static int file(void *arg)
{
	return cst_read_stat("calls") <= 0;
}

static DEFINE_MUTEX(contended);
static DECLARE_COMPLETION(held);

/* The other one is about to lock it, and does not wait for anything else any more. */
static bool wants;

/* Does @task wait, off its CPU? */
static bool waits(const struct task_struct *task)
{
	return READ_ONCE(task->__state) & TASK_UNINTERRUPTIBLE && !READ_ONCE(task->on_cpu);
}

static int hold(void *other)
{
	mutex_lock(&contended);
	complete(&held);
	CST_SOON(READ_ONCE(wants) && waits(other));
	mutex_unlock(&contended);
	return 0;
}

static int lock(void *arg)
{
	WRITE_ONCE(wants, true);
	mutex_lock(&contended);
	mutex_unlock(&contended);
	return 0;
}

static int nap(void *arg)
{
	ktime_t begin = ktime_get();

	fsleep(100);
	return ktime_us_delta(ktime_get(), begin) < 100;
}

/* === The sweep === */

struct run {
	costack_fn_t	fn;
	long		left;
};

static int run_body(void *arg)
{
	const struct run *run = arg;

	return cst_call_with_left(run->left, run->fn, NULL);
}

static void run_at(costack_fn_t fn, long left)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };
	struct run run = { fn, left };

	CST_EQ(0, costack_call_attr(&attr, run_body, &run));
}

static void sweep(costack_fn_t fn, long step)
{
	long left;

	for (left = 0; left < MOST_LEFT && !cst_failures(); left += step ?: 16)
		run_at(fn, left);
}

static void kernel_format(const long *args)
{
	sweep(format, args[0]);
}

static void kernel_memory(const long *args)
{
	sweep(memory, args[0]);
}

static void kernel_sort(const long *args)
{
	sweep(sorting, args[0]);
}

static void kernel_file(const long *args)
{
	sweep(file, args[0]);
}

static void kernel_sleep(const long *args)
{
	sweep(nap, args[0]);
}

static void kernel_mutex(const long *args)
{
	struct cst_thread holder;
	long left;

	for (left = 0; left < MOST_LEFT && !cst_failures(); left += args[0] ?: 16) {
		reinit_completion(&held);
		WRITE_ONCE(wants, false);
		if (!CST_EQ(0, cst_thread_start(&holder, CST_ANY_CPU, hold, current)))
			return;
		wait_for_completion(&held);
		run_at(lock, left);
		wait_for_completion(&holder.done);
	}
}

/* === Interrupts and preemption off === */

static int atomic_body(void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	cst_outgrow();
	CST_TRUE(irqs_disabled());
	cst_outgrow();
	local_irq_restore(flags);
	CST_TRUE(!irqs_disabled());

	preempt_disable();
	cst_outgrow();
	preempt_enable();

	rcu_read_lock();
	cst_outgrow();
	rcu_read_unlock();
	return 51;
}

static void atomic(const long *args)
{
	struct costack_attr attr = { .stack_first = PAGE_SIZE };

	CST_EQ(51, costack_call_attr(&attr, atomic_body, NULL));
}

static const struct cst_case cases[] = {
	{ "kernel-format", kernel_format },
	{ "kernel-memory", kernel_memory },
	{ "kernel-sort", kernel_sort },
	{ "kernel-file", kernel_file },
	{ "kernel-mutex", kernel_mutex },
	{ "kernel-sleep", kernel_sleep },
	{ "atomic", atomic },
	{ }
};

struct cst_suite cst_kernel = { .owner = THIS_MODULE, .cases = cases };
