/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the suites that need a coroutine or change a knob.
 *
 * A KUNIT_ASSERT_* that fails ends the thread, and a KUNIT_EXPECT_* that fails
 * allocates and prints. So no function that runs on a coroutine stack uses them: it
 * takes notes, and its caller checks the notes.
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
#include "../module/pack.h"
#include "../module/pool.h"
#include "../module/stats.h"

/**
 * struct fixture - what a case may change
 * @co: the coroutine of make_running(); destroyed at the end
 * @knobs: the knobs before the case; restored at the end
 * @stats: the counters before the case, to compare with
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
	/* Stay on one CPU: stacks and coroutines are kept for reuse per CPU. */
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(0)), 0);
	f->knobs = costack_knobs;
	for (i = 0; i < COSTACK_NR_STATS; i++)
		f->stats[i] = costack_stat_read(i);
	/* Cases count growths of functions that others have run before. */
	costack_knobs.adaptive_start = false;
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
	costack_reserve_put(costack_reserve_of(f->co));
	costack_destroy(f->co);
}

/* By how much a counter has grown since the case began. */
static inline long counted(struct kunit *test, enum costack_stat stat)
{
	const struct fixture *f = test->priv;

	return costack_stat_read(stat) - f->stats[stat];
}

static int never_called(void *arg)
{
	return -EIO;
}

static inline struct costack_ctx *never_entered(void *arg)
{
	return NULL;
}

static inline void never_deferred(void *arg)
{
}

/*
 * Make a coroutine that is RUNNING and switched out at the very top of its stack, the
 * state in which growth at a safe point finds one. Nothing ever runs on it.
 */
static inline struct costack *make_running(struct kunit *test, const struct costack_attr *attr)
{
	struct costack *co = costack_create(attr, never_called, NULL, costack_owner_thread());
	bool copies = costack_knobs.policy == COSTACK_POLICY_COPY;
	struct fixture *f = test->priv;
	struct costack_reserve *reserve;

	KUNIT_ASSERT_FALSE(test, IS_ERR(co));
	f->co = co;
	KUNIT_ASSERT_TRUE(test, costack_unpack(co, NULL));
	co->task = current;
	reserve = costack_reserve_get(co->limit, copies, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reserve);
	reserve->nr_events = 0;
	co->host = &reserve->host;
	co->base = co->slot->hi;
	costack_arch_prepare(&co->ctx, co->base, never_entered, co);
	costack_set_state(co, COSTACK_IDLE, COSTACK_RUNNABLE);
	costack_set_state(co, COSTACK_RUNNABLE, COSTACK_RUNNING);
	return co;
}

/*
 * Do what growth does to a coroutine whose stack overflows. Called on the coroutine
 * stack; does not return.
 */
static inline void cut_off(void)
{
	struct costack *co = costack_current();

	co->aborted = true;
	co->req.handler = NULL;
	costack_arch_switch(&co->ctx, &co->host->ctx);
}

#endif /* _COSTACK_KUNIT_FIXTURE_H */
