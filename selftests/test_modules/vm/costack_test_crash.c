// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_crash: cases that end with the machine. selftests/vm/crashes.txt
 * says what each must look like on the console.
 */
#include <linux/device/driver.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sort.h>
#include <linux/spinlock.h>

#include "costack_test.h"

/* Always true; the compiler must not know. */
static bool forever = true;

static noinline long dig(long level)
{
	unsigned long room[16] __uninitialized;

	barrier_data(room);
	if (READ_ONCE(forever))
		level += dig(level + 1);
	barrier_data(room);
	return level;
}

static int dig_body(void *arg)
{
	return dig(0);
}

static int dig_atomic_body(void *arg)
{
	preempt_disable();
	return dig(0);
}

/* On the stack of an ordinary thread. */
static void crash_thread(const long *args)
{
	dig(0);
}

/* The same on the host stack of a coroutine. */
static int dig_on_host(void *arg)
{
	return costack_on_host(dig_body, NULL);
}

static void crash_host(const long *args)
{
	costack_call(dig_on_host, NULL);
}

static void crash_limit(const long *args)
{
	struct costack_attr attr = { .name = "crash-limit", .stack_limit = 16384 };

	costack_call_attr(&attr, dig_body, NULL);
}

static DEFINE_SPINLOCK(lock);

static int dig_locked_body(void *arg) __acquires(&lock)
{
	spin_lock(&lock);
	return dig(0);
}

static int dig_irqs_off_body(void *arg)
{
	local_irq_disable();
	return dig(0);
}

static int dig_rcu_body(void *arg) __acquires(RCU)
{
	rcu_read_lock();
	return dig(0);
}

/* With a kernel function in between, which a cut would leave half done. */
static int compare(const void *a, const void *b)
{
	return dig(0);
}

static int dig_in_kernel_body(void *arg)
{
	int numbers[2] = { 1, 2 };

	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	return 0;
}

static void crash_abortable(const char *name, costack_fn_t fn)
{
	struct costack_attr attr = {
		.name = name, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};

	costack_call_attr(&attr, fn, NULL);
}

/* It may be cut off, but not in that place. */
static void crash_atomic(const long *args)
{
	crash_abortable("crash-atomic", dig_atomic_body);
}

static void crash_lock(const long *args)
{
	crash_abortable("crash-lock", dig_locked_body);
}

static void crash_irqs(const long *args)
{
	crash_abortable("crash-irqs", dig_irqs_off_body);
}

static void crash_rcu(const long *args)
{
	crash_abortable("crash-rcu", dig_rcu_body);
}

static void crash_kernel(const long *args)
{
	crash_abortable("crash-kernel", dig_in_kernel_body);
}

/* A write to the guard from elsewhere does not grow the stack. */
static int give_lo(void *arg)
{
	*(unsigned long *)arg = cst_stack_lo();
	return 0;
}

static void crash_wild(const long *args)
{
	unsigned long lo = 0;

	costack_call(give_lo, &lo);
	WRITE_ONCE(*(unsigned long *)(lo - 8), 0);
}

static int do_nothing(void *arg)
{
	return 0;
}

/* Nor is a push below a stack whose coroutine has ended. */
static void crash_idle(const long *args)
{
	unsigned long lo = 0;

	costack_call(give_lo, &lo);
	cst_call_on(lo, do_nothing, NULL);
}

#ifdef CONFIG_KASAN_STACK

static noinline void write_at(char *room, long i)
{
	OPTIMIZER_HIDE_VAR(room);
	WRITE_ONCE(room[i], 1);
}

/* KASAN finds the red zones of a frame also after the frame has moved. */
static int redzone_body(void *arg)
{
	char room[32] = "";
	unsigned long before = cst_disguise(room);

	cst_outgrow();
	if (!CST_TRUE(cst_disguise(room) != before))
		return -EINVAL;
	write_at(room, sizeof(room) - 1);
	write_at(room, sizeof(room));
	return room[0];
}

static void crash_redzone(const long *args)
{
	struct costack_attr attr = { .name = "crash-redzone" };

	costack_call_attr(&attr, redzone_body, NULL);
}

#endif

static const struct cst_case cases[] = {
	{ "crash-thread", crash_thread },
	{ "crash-host", crash_host },
	{ "crash-limit", crash_limit },
	{ "crash-atomic", crash_atomic },
	{ "crash-lock", crash_lock },
	{ "crash-irqs", crash_irqs },
	{ "crash-rcu", crash_rcu },
	{ "crash-kernel", crash_kernel },
	{ "crash-wild", crash_wild },
	{ "crash-idle", crash_idle },
#ifdef CONFIG_KASAN_STACK
	{ "crash-redzone", crash_redzone },
#endif
	{ }
};

static struct cst_suite suite = { .owner = THIS_MODULE, .cases = cases };

module_driver(suite, cst_register, cst_unregister);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack that end with the machine");
