// SPDX-License-Identifier: GPL-2.0
/*
 * The load-time self-test: one real overflow, grown both ways.
 *
 * If resuming from #DF, the unwinder or the APIC does not work as this module expects, the
 * self-test fails and the module does not load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/costack.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <asm/costack.h>

#include "selftest.h"
#include "stats.h"

#define DEPTH		24
#define FRAME_BYTES	256

/**
 * struct run - what one coroutine has to do, and its result
 * @work: carries the run to a kernel thread
 * @policy: how the stack is to grow
 * @sum: what the recursion must return
 * @ret: what it returned
 */
struct run {
	struct work_struct	work;
	enum costack_policy	policy;
	int			sum;
	int			ret;
};

/*
 * Recurse with a pointer into each caller's frame, and check the frames on the way back.
 * The compiler must not optimize any of this away.
 */
static noinline int descend(int depth, int *above)
{
	char room[FRAME_BYTES];
	int here = depth, sum = 0;

	OPTIMIZER_HIDE_VAR(above);
	memset(room, depth, sizeof(room));
	barrier_data(room);
	if (depth) {
		sum = descend(depth - 1, &here);
		here--;
	}
	barrier_data(room);
	if (here != depth || memchr_inv(room, depth, sizeof(room)))
		return -1;
	(*above)++;
	return sum < 0 ? sum : sum + depth;
}

static int body(void *arg)
{
	int top = DEPTH;

	return descend(DEPTH, &top);
}

static void run_fn(struct work_struct *work)
{
	struct run *run = container_of(work, struct run, work);
	enum costack_policy policy = costack_knobs.policy;
	bool adaptive_start = costack_knobs.adaptive_start;
	/* Make the stack overflow, whatever stack_min and stack_max are. */
	const struct costack_attr attr = {
		.name		= "self-test",
		.stack_first	= PAGE_SIZE,
		.stack_limit	= 4 * PAGE_SIZE,
	};

	costack_knobs.policy = run->policy;
	costack_knobs.adaptive_start = false;
	run->ret = costack_call_attr(&attr, body, NULL);
	costack_knobs.policy = policy;
	costack_knobs.adaptive_start = adaptive_start;
}

static int check(enum costack_policy policy, enum costack_stat stat, const char *what)
{
	struct run run = { .policy = policy };
	long before = costack_stat_read(stat);

	INIT_WORK_ONSTACK(&run.work, run_fn);
	schedule_work(&run.work);
	flush_work(&run.work);
	destroy_work_on_stack(&run.work);

	if (run.ret != DEPTH * (DEPTH + 1) / 2) {
		pr_err("cannot load: self-test: growth %s returned %d\n", what, run.ret);
		return -EOPNOTSUPP;
	}
	if (costack_stat_read(stat) == before) {
		pr_err("cannot load: self-test: no growth %s took place\n", what);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * costack_selftest() - have one stack grow in place and one by copy
 *
 * Context: Process context; may sleep. Before others can use the module.
 * Return: 0, or -EOPNOTSUPP with a message.
 */
int costack_selftest(void)
{
	int err;

	/* Without a guard, a stack that overflows cannot grow. */
	if (!COSTACK_ARCH_GUARD)
		return 0;
	err = check(COSTACK_POLICY_INPLACE, COSTACK_STAT_GROWN_IN_PLACE, "in place");
	if (!err)
		err = check(COSTACK_POLICY_COPY, COSTACK_STAT_GROWN_BY_COPY, "by copy");
	costack_stats_reset();
	return err;
}
