// SPDX-License-Identifier: GPL-2.0
/*
 * The calls: results, refusals, sizes, nesting.
 *
 *	call		return values handed back; attributes rounded up and refused
 *	call-writer	refused in a user's process
 *	call-atomic	refused with preemption or interrupts off, and in interrupts
 *	current		where a coroutine is seen, and where not
 *	nested		three levels deep
 *	on-host		results, and writes through pointers into the stack
 *	ensure		growth without a fault
 *	block		wait for .../test/release on a coroutine stack
 */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/smp.h>

#include "costack_test.h"

/* === Call === */

static int give_back(void *arg)
{
	return (long)arg;
}

/* Returns the size of the stack that it was started on. */
static int start_size(void *arg)
{
	return costack_stack_size();
}

/* The initial size of a stack for this request. */
static int size_for(size_t first, size_t limit)
{
	struct costack_attr attr = { .stack_first = first, .stack_limit = limit };

	return costack_call_attr(&attr, start_size, NULL);
}

static int call_flags(unsigned int flags)
{
	struct costack_attr attr = { .flags = flags };

	return costack_call_attr(&attr, give_back, (void *)7);
}

static void call(const long *args)
{
	static const int values[] = { 0, 1, -1, 42, -EOVERFLOW, INT_MAX, INT_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		CST_EQ(values[i], costack_call(give_back, (void *)(long)values[i]));
		CST_EQ(values[i], costack_call_attr(NULL, give_back, (void *)(long)values[i]));
	}
	CST_EQ(4096, size_for(0, 0));
	CST_EQ(4096, size_for(1, 0));
	CST_EQ(4096, size_for(4096, 0));
	CST_EQ(8192, size_for(4097, 0));
	CST_EQ(16384, size_for(8193, 0));
	CST_EQ(65536, size_for(65536, 65536));
	CST_EQ(16384, size_for(16384, 9000));
	CST_EQ(4096, size_for(0, 1));
	CST_EQ(-EINVAL, size_for(65537, 0));
	CST_EQ(-EINVAL, size_for(0, 65537));
	CST_EQ(-EINVAL, size_for(SIZE_MAX, 0));
	CST_EQ(-EINVAL, size_for(0, SIZE_MAX));
	CST_EQ(-EINVAL, size_for(8192, 4096));
	CST_EQ(7, call_flags(0));
	CST_EQ(7, call_flags(COSTACK_ABORTABLE | COSTACK_PINNED));
	CST_EQ(-EINVAL, call_flags(BIT(4)));
	CST_EQ(-EINVAL, call_flags(~0U));
	CST_EQ(-EINVAL, costack_call(NULL, NULL));
}

static void call_writer(const long *args)
{
	long calls = cst_stat("calls");

	CST_EQ(-EINVAL, costack_call(give_back, (void *)7));
	CST_EQ(calls, cst_stat("calls"));
}

static void call_in_interrupt(void *ret)
{
	*(int *)ret = costack_call(give_back, (void *)7);
}

static void call_atomic(const long *args)
{
	int ret = 0;

	preempt_disable();
	ret = costack_call(give_back, (void *)7);
	preempt_enable();
	CST_EQ(-EINVAL, ret);

	local_irq_disable();
	ret = costack_call(give_back, (void *)7);
	local_irq_enable();
	CST_EQ(-EINVAL, ret);

	local_bh_disable();
	ret = costack_call(give_back, (void *)7);
	local_bh_enable();
	CST_EQ(-EINVAL, ret);

	ret = 0;
	on_each_cpu(call_in_interrupt, &ret, 1);
	CST_EQ(-EINVAL, ret);
	CST_EQ(7, costack_call(give_back, (void *)7));
}

/* === Where === */

static struct {
	struct hrtimer	timer;
	bool		came;
	bool		saw_coroutine;
} interrupt;

static enum hrtimer_restart look_around(struct hrtimer *timer)
{
	interrupt.saw_coroutine = costack_current();
	WRITE_ONCE(interrupt.came, true);
	return HRTIMER_NORESTART;
}

/* An interrupt of the coroutine is handled on a stack of its own. */
static void interrupt_sees_none(void)
{
	const enum hrtimer_mode mode = HRTIMER_MODE_REL_PINNED_HARD;
	unsigned long timeout = jiffies + 3 * HZ;

	interrupt.came = false;
	costack_hrtimer_setup(&interrupt.timer, look_around, CLOCK_MONOTONIC, mode);
	/* It interrupts this coroutine on this CPU; the coroutine goes on until it has come. */
	preempt_disable();
	hrtimer_start(&interrupt.timer, ns_to_ktime(50 * NSEC_PER_USEC), mode);
	while (!READ_ONCE(interrupt.came) && time_before(jiffies, timeout))
		cpu_relax();
	preempt_enable();
	hrtimer_cancel(&interrupt.timer);
	CST_TRUE(interrupt.came);
	CST_TRUE(!interrupt.saw_coroutine);
}

static int none_here(void *arg)
{
	CST_TRUE(!costack_current());
	CST_EQ(0, costack_stack_left());
	CST_EQ(0, costack_stack_used());
	CST_EQ(0, costack_stack_size());
	CST_EQ(-EINVAL, costack_ensure(1));
	return 45;
}

static int current_body(void *arg)
{
	struct costack *co = costack_current();

	CST_TRUE(co);
	CST_EQ(45, costack_on_host(none_here, NULL));
	cst_use_stack(20000);
	CST_TRUE(co == costack_current());
	interrupt_sees_none();
	return 46;
}

static void current_case(const long *args)
{
	none_here(NULL);
	CST_EQ(46, costack_call(current_body, NULL));
	none_here(NULL);
}

/* === Nested, and on the host === */

/* One coroutine in another: an argument on the outer stack, a result from the inner. */
struct nest {
	int		level;
	struct costack	*outer;
	long		sum;
};

static int nested_body(void *arg)
{
	struct nest *nest = arg;
	struct nest inner = { nest->level - 1, costack_current(), 0 };
	int ret;

	CST_TRUE(costack_current() && costack_current() != nest->outer);
	cst_use_stack(6000);
	if (nest->level > 1) {
		ret = costack_call(nested_body, &inner);
		CST_EQ(100 + inner.level, ret);
		CST_TRUE(costack_current() == inner.outer);
	}
	cst_use_stack(12000);
	nest->sum = inner.sum + nest->level;
	return 100 + nest->level;
}

static void nested(const long *args)
{
	struct nest nest = { 3, NULL, 0 };

	CST_EQ(103, costack_call(nested_body, &nest));
	CST_EQ(6, nest.sum);
	CST_EQ(0, cst_stat("live"));
}

struct hosted {
	long	value;
	long	*self;
};

static int hosted_fn(void *arg)
{
	struct hosted *hosted = arg;

	/* Self-references must be right at this moment, whether the stack was moved or not. */
	CST_TRUE(hosted->self == &hosted->value);
	*hosted->self *= 2;
	return hosted->value;
}

static int on_host_body(void *arg)
{
	struct hosted hosted = { 1, &hosted.value };
	int i;

	for (i = 1; i <= 10; i++) {
		CST_EQ(1 << i, costack_on_host(hosted_fn, &hosted));
		CST_EQ(1 << i, hosted.value);
		cst_use_stack(i * 1000);
	}
	CST_EQ(-77, costack_on_host(give_back, (void *)-77L));
	return 47;
}

static void on_host(const long *args)
{
	struct hosted hosted = { 1, &hosted.value };

	CST_EQ(47, costack_call(on_host_body, NULL));
	CST_EQ(2, costack_on_host(hosted_fn, &hosted));
}

/* === Ensure === */

static noinline void check_sizes(void)
{
	size_t sum = costack_stack_left() + costack_stack_used(), size = costack_stack_size();

	/* Each is measured from a frame of its own, so they may differ a little. */
	CST_TRUE(sum >= size - 64 && sum <= size + 64);
	CST_TRUE(is_power_of_2(size));
}

static void ensure_step(size_t bytes)
{
	CST_EQ(0, costack_ensure(bytes));
	CST_TRUE(costack_stack_left() + 128 >= bytes);
	check_sizes();
}

static int ensure_body(void *arg)
{
	long faults = cst_stat("faults"), grown;
	size_t size = costack_stack_size(), bytes;
	unsigned long local = 0x1234;

	ensure_step(0);
	ensure_step(1000);
	CST_EQ(size, costack_stack_size());
	for (bytes = 4000; bytes <= 60000; bytes += 4000) {
		ensure_step(bytes);
		/* So it is worth nothing to ask again. */
		grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");
		ensure_step(bytes);
		CST_EQ(grown, cst_stat("grown_by_copy") + cst_stat("grown_in_place"));
	}
	CST_EQ(65536, costack_stack_size());
	cst_use_stack(55000);
	CST_EQ(faults, cst_stat("faults"));
	CST_EQ(0x1234, READ_ONCE(local));
	return 48;
}

static int ensure_limit_body(void *arg)
{
	long grown = cst_stat("grown_by_copy") + cst_stat("grown_in_place");
	size_t size = costack_stack_size();

	CST_EQ(-EOVERFLOW, costack_ensure(16384));
	CST_EQ(-EOVERFLOW, costack_ensure(65536));
	CST_EQ(-EOVERFLOW, costack_ensure(1 << 20));
	CST_EQ(-EOVERFLOW, costack_ensure(LONG_MAX));
	CST_EQ(-EOVERFLOW, costack_ensure(SIZE_MAX));
	CST_EQ(size, costack_stack_size());
	CST_EQ(grown, cst_stat("grown_by_copy") + cst_stat("grown_in_place"));
	/* The stack still grows as before. */
	ensure_step(12000);
	CST_EQ(16384, costack_stack_size());
	return 49;
}

static void ensure(const long *args)
{
	struct costack_attr attr = { .stack_limit = 16384 };

	CST_EQ(48, costack_call(ensure_body, NULL));
	CST_EQ(49, costack_call_attr(&attr, ensure_limit_body, NULL));
	CST_EQ(-EINVAL, costack_ensure(1));
}

/* === Busy === */

static int block_body(void *arg)
{
	wait_for_completion(&cst_release);
	return 50;
}

static void block(const long *args)
{
	CST_EQ(50, costack_call(block_body, NULL));
}

static const struct cst_case cases[] = {
	{ "call", call },
	{ "call-writer", call_writer, .in_writer = true },
	{ "call-atomic", call_atomic },
	{ "current", current_case },
	{ "nested", nested },
	{ "on-host", on_host },
	{ "ensure", ensure },
	{ "block", block },
	{ }
};

struct cst_suite cst_api = { .owner = THIS_MODULE, .cases = cases };
