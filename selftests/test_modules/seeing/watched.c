// SPDX-License-Identifier: GPL-2.0
/*
 * Coroutines that wait while a script looks at them from outside.
 *
 *	watched-begin NR QUEUE CHANNEL GROWN
 *				work items wait until watched-end. NR of each of five kinds
 *				share the function watched_body: they wait for a wait queue,
 *				a channel, time, an unpark and another item; those of the
 *				first kind have grown in place, pinned. QUEUE items run
 *				watched_queue, CHANNEL items watched_channel, and GROWN
 *				items watched_grown, which grows once and then waits for
 *				the queue
 *	watched-calls NR SPIN	the same for costack_call(), in threads: NR of each of five
 *				kinds share the function watched_call. They wait for the
 *				queue (grown in place, pinned), a channel, time, an unpark;
 *				those of the last kind are not parked, but asleep in the
 *				kernel. SPIN more run watched_spin, and compute
 *	watched-end		all of them end
 *	watched-mix MSECS	for so long, threads call two functions in turn under names
 *				of their own, mix_one and mix_two
 *	watched-short NR	NR items end at once
 *	watched-warn CALLED	one coroutine warns, three calls deep; CALLED: it is run by
 *				costack_call() and not as a work item
 *	watched-dump CALLED	the same with dump_stack()
 *	watched-spin CALLED	the same keeps its CPU until .../test/release is written
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/wait.h>

#include <linux/costack.h>

#include "costack_test.h"
#include "items.h"

#define KINDS	5

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;
static struct costack_chan *chan;

static noinline int watched_queue(void *arg)
{
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return 42;
}

static int watched_pinned(void *arg)
{
	CST_EQ(0, costack_pin());
	cst_use_stack(6000);
	CST_EQ(0, costack_unpin());
	return watched_queue(arg);
}

static int watched_grown(void *arg)
{
	cst_outgrow();
	return watched_queue(arg);
}

static noinline int watched_channel(void *arg)
{
	long value;

	CST_EQ(-EPIPE, costack_chan_recv(chan, &value));
	return 42;
}

static noinline int watched_time(void *arg)
{
	while (!READ_ONCE(gate_is_open))
		costack_sleep(3600 * HZ);
	return 42;
}

static noinline int watched_unpark(void *arg)
{
	while (!READ_ONCE(gate_is_open))
		CST_EQ(0, costack_park());
	return 42;
}

static noinline int watched_item(void *arg)
{
	struct cst_item *item = arg;

	CST_EQ(42, costack_wait(&item->group->item[0].work));
	return 42;
}

static int watched_body(void *arg)
{
	static const costack_fn_t kinds[KINDS] = {
		watched_pinned, watched_channel, watched_time, watched_unpark, watched_item,
	};
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	return kinds[item->nr % KINDS](item);
}

static noinline int watched_asleep(void *arg)
{
	while (!READ_ONCE(gate_is_open))
		msleep(20);
	return 42;
}

static int watched_call(void *arg)
{
	static const costack_fn_t kinds[KINDS] = {
		watched_pinned, watched_channel, watched_time, watched_unpark, watched_asleep,
	};
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	return kinds[item->nr % KINDS](item);
}

static int watched_spin(void *arg)
{
	while (!READ_ONCE(gate_is_open))
		cond_resched();
	return 42;
}

/* There is one group for each; those of all kinds are the first, and the first called one. */
static const costack_fn_t bodies[] = {
	watched_body, watched_queue, watched_channel, watched_grown, watched_call, watched_spin,
};

#define FIRST_CALLED	4

static struct cst_group *groups[ARRAY_SIZE(bodies)];

static bool watched_start(unsigned int i, long nr)
{
	const struct costack_attr attr = {
		.name = i < FIRST_CALLED ? "watched by all" : "watched call",
	};

	if (!nr)
		return true;
	if (!chan)
		chan = costack_chan_create(sizeof(long), 0);
	if (!CST_TRUE(chan))
		return false;
	groups[i] = cst_items_new(nr, i >= FIRST_CALLED, bodies[i], NULL, &attr);
	return groups[i] && CST_TRUE(cst_items_start(groups[i]));
}

static void watched_begin(const long *args)
{
	long before = cst_parked(), all = 0, nr;
	unsigned int i;

	WRITE_ONCE(gate_is_open, false);
	for (i = 0; i < FIRST_CALLED; i++) {
		nr = i ? args[i] : args[i] * KINDS;
		if (!watched_start(i, nr))
			return;
		all += nr;
	}
	CST_SOON(cst_parked() - before == all);
}

/* Whether they are parked already can be seen from outside. */
static void watched_calls(const long *args)
{
	WRITE_ONCE(gate_is_open, false);
	if (watched_start(FIRST_CALLED, args[0] * KINDS))
		watched_start(FIRST_CALLED + 1, args[1]);
}

/* Wake those that wait for time and for an unpark. */
static void unpark_kinds(const struct cst_group *group)
{
	unsigned int i;

	for (i = 0; group && i < group->started; i++)
		if (i % KINDS == 2 || i % KINDS == 3)
			costack_unpark(READ_ONCE(group->item[i].co));
}

static void watched_end(const long *args)
{
	struct cst_group *group;
	unsigned int i;

	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
	if (chan)
		CST_EQ(0, costack_chan_close(chan));
	unpark_kinds(groups[0]);
	unpark_kinds(groups[FIRST_CALLED]);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		group = groups[i];
		groups[i] = NULL;
		/* Items that hang still use the channel: it stays. */
		if (group && !CST_FINISH(group, 42))
			return;
	}
	if (chan)
		costack_chan_destroy(chan);
	chan = NULL;
}

#define MIXERS	8U

/* Calls that last some microseconds. With one CPU, whoever looks at them runs when they let it. */
static int mix_one(void *arg)
{
	cst_spin_usecs(5);
	cond_resched();
	return 42;
}

static int mix_two(void *arg)
{
	cst_spin_usecs(5);
	cond_resched();
	return 42;
}

static int mix(void *arg)
{
	const struct costack_attr one = { .name = "mix_one" }, two = { .name = "mix_two" };
	unsigned long end = jiffies + *(unsigned long *)arg;

	while (time_before(jiffies, end)) {
		CST_EQ(42, costack_call_attr(&one, mix_one, NULL));
		CST_EQ(42, costack_call_attr(&two, mix_two, NULL));
	}
	return 0;
}

static void watched_mix(const long *args)
{
	unsigned long ticks = msecs_to_jiffies(args[0]);
	static struct cst_thread threads[MIXERS];
	unsigned int i, nr = min(num_online_cpus(), MIXERS);

	for (i = 0; i < nr; i++)
		if (!CST_EQ(0, cst_thread_start(&threads[i], CST_ANY_CPU, mix, &ticks)))
			break;
	while (i--)
		wait_for_completion(&threads[i].done);
}

static int watched_short_body(void *arg)
{
	return 42;
}

static void watched_short(const long *args)
{
	struct cst_group *group = cst_items_new(args[0], false, watched_short_body, NULL, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

static void do_warn(void)
{
	WARN(1, "as it was asked to\n");
}

static void do_spin(void)
{
	unsigned long end = jiffies + CST_PATIENCE;

	preempt_disable();
	while (!completion_done(&cst_release) && time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

static noinline int watched_deep(int calls, void (*fn)(void))
{
	int ret = 42;

	if (calls)
		ret = watched_deep(calls - 1, fn);
	else
		fn();
	/* So that each call has a frame. */
	barrier_data(&ret);
	return ret;
}

static int watched_deep_body(void *arg)
{
	struct cst_item *item = arg;
	int ret = watched_deep(2, item->group->data);

	barrier_data(&ret);
	return ret;
}

static void watched_one(const char *name, long called, void (*fn)(void))
{
	const struct costack_attr attr = { .name = name };
	struct cst_group *group = cst_items_new(1, called, watched_deep_body, fn, &attr);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

static void watched_warns(const long *args)
{
	watched_one("warner", args[0], do_warn);
}

static void watched_dumps(const long *args)
{
	watched_one("dumper", args[0], dump_stack);
}

static void watched_spins(const long *args)
{
	/* A grace period that has begun before keeps the limit that a stall had then. */
	synchronize_rcu();
	watched_one("spinner", args[0], do_spin);
}

static const struct cst_case cases[] = {
	{ "watched-begin", watched_begin },
	{ "watched-calls", watched_calls },
	{ "watched-end", watched_end },
	{ "watched-mix", watched_mix },
	{ "watched-short", watched_short },
	{ "watched-warn", watched_warns },
	{ "watched-dump", watched_dumps },
	{ "watched-spin", watched_spins },
	{ }
};

struct cst_suite cst_watched = { .owner = THIS_MODULE, .cases = cases };
