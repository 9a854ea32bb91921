/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share that need a coroutine or change a knob.
 *
 * A KUNIT_ASSERT_* that fails ends the thread, and a KUNIT_EXPECT_* that fails
 * allocates and prints. So neither stands in a function that runs on a coroutine
 * stack: such a function takes notes, and its caller looks at them.
 */
#ifndef _COSTACK_KUNIT_FIXTURE_H
#define _COSTACK_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <asm/costack.h>

#include "../module/calls.h"
#include "../module/coroutine.h"
#include "../module/costack.h"
#include "../module/pool.h"
#include "../module/stats.h"

/**
 * struct fixture - what a case changes and has to put back
 * @co: from make_running(); destroyed at the end
 * @knobs: as they were
 * @stats: as they were; compared with, not put back
 */
struct fixture {
	struct costack		*co;
	struct costack_knobs	knobs;
	long			stats[COSTACK_NR_STATS];
};

static inline int fixture_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	/* What is kept for reuse is kept by CPU. */
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(0)), 0);
	f->knobs = costack_knobs;
	for (i = 0; i < COSTACK_NR_STATS; i++)
		f->stats[i] = costack_stat_read(i);
	test->priv = f;
	return 0;
}

static inline void fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	costack_knobs = f->knobs;
	if (!f->co)
		return;
	costack_set_state(f->co, COSTACK_RUNNING, COSTACK_DEAD);
	costack_reserve_put(f->co->reserve);
	costack_destroy(f->co);
}

/* How far a counter has gone up since the case began. */
static inline long counted(struct kunit *test, enum costack_stat stat)
{
	const struct fixture *f = test->priv;

	return costack_stat_read(stat) - f->stats[stat];
}

static int never_called(void *arg)
{
	return -EIO;
}

static inline void never_entered(void *arg)
{
}

/*
 * A coroutine that is RUNNING and switched out at the very top of its stack, as
 * growth finds one at a safe point; nothing ever runs on it.
 */
static inline struct costack *make_running(struct kunit *test, const struct costack_attr *attr)
{
	struct costack *co = costack_create(attr, never_called, NULL);
	struct fixture *f = test->priv;

	KUNIT_ASSERT_FALSE(test, IS_ERR(co));
	f->co = co;
	co->task = current;
	co->reserve = costack_reserve_get(co->limit,
					  costack_knobs.policy == COSTACK_POLICY_COPY,
					  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, co->reserve);
	co->nr_events = 0;
	co->base = co->slot->hi;
	costack_arch_prepare(&co->ctx, co->base, never_entered, co);
	costack_set_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	return co;
}

/*
 * For functions on a coroutine stack: what growth does to a coroutine whose stack
 * overflows. It does not return.
 */
static inline void cut_off(void)
{
	struct costack *co = costack_current();

	co->aborted = true;
	co->req.handler = NULL;
	costack_arch_switch(&co->ctx, &co->host);
}

#endif /* _COSTACK_KUNIT_FIXTURE_H */
