// SPDX-License-Identifier: GPL-2.0
/*
 * Parking: permits, places where it is refused, and sleeping. CALLED is 1 for
 * coroutines of costack_call(), 0 for work items.
 *
 *	park-early CALLED	an unpark that comes first is not lost
 *	park-merge CALLED	several unparks before the resume count as one
 *	park-refused CALLED	refused in atomic context; the coroutine goes on
 *	park-thread		calls that wait are refused outside a coroutine
 *	park-places ITEMS	the lower half of no stack address is a small number
 *	sleep CALLED		not too short, nor longer than when the thread sleeps
 *	sleep-unparked CALLED	an unpark ends it
 *	sleep-many ITEMS	each until all have begun: all at the same time
 */
#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/stop_machine.h>

#include "figures.h"
#include "items.h"

/*
 * A coroutine must not end while somebody is about to unpark it. So these end only when
 * they are told to.
 */
static DECLARE_WAIT_QUEUE_HEAD(let_go);
static bool may_go;

static void open_gate(void)
{
	WRITE_ONCE(may_go, true);
	wake_up_all(&let_go);
}

static int pass_gate(void)
{
	CST_EQ(0, costack_wait_event(let_go, READ_ONCE(may_go)));
	return 42;
}

static struct cst_group *start_one(bool called, costack_fn_t fn)
{
	struct cst_group *group = cst_items_new(1, called, fn, NULL, NULL);

	WRITE_ONCE(may_go, false);
	if (group && cst_items_start(group))
		return group;
	cst_items_free(group);
	return NULL;
}

/* === Permits === */

static bool has_unparked;

static int early_body(void *arg)
{
	struct cst_item *item = arg;
	pid_t pid = cst_pid();

	costack_unpark(costack_current());
	CST_EQ(0, costack_park());
	WRITE_ONCE(item->count, 1);
	/* From another thread, while this one runs. */
	WRITE_ONCE(item->co, costack_current());
	CST_SPIN(READ_ONCE(has_unparked));
	CST_EQ(0, costack_park());
	/* It did not leave the thread either time. */
	CST_EQ(pid, cst_pid());
	WRITE_ONCE(item->count, 2);
	return pass_gate();
}

static void park_early(const long *args)
{
	struct cst_group *group;
	int round;

	for (round = 0; round < 20 && !cst_failures(); round++) {
		WRITE_ONCE(has_unparked, false);
		group = start_one(args[0], early_body);
		if (!group)
			return;
		if (CST_SOON(READ_ONCE(group->item[0].co)))
			costack_unpark(group->item[0].co);
		WRITE_ONCE(has_unparked, true);
		CST_SOON(READ_ONCE(group->item[0].count) == 2);
		open_gate();
		CST_FINISH(group, 42);
	}
}

#define MERGE_ROUNDS	20

static int merge_body(void *arg)
{
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	while (READ_ONCE(item->count) < MERGE_ROUNDS) {
		CST_EQ(0, costack_park());
		WRITE_ONCE(item->count, item->count + 1);
	}
	return pass_gate();
}

/* On one CPU, with interrupts off on all: nobody resumes in between. */
static int unpark_five(void *co)
{
	int i;

	for (i = 0; i < 5; i++)
		costack_unpark(co);
	return 0;
}

static void park_merge(const long *args)
{
	struct cst_group *group = start_one(args[0], merge_body);
	struct cst_item *item;
	long round;

	if (!group)
		return;
	item = &group->item[0];
	CST_SOON(READ_ONCE(item->co));
	for (round = 1; round <= MERGE_ROUNDS && !cst_failures(); round++) {
		/* Sometimes it is not parked yet, which makes no difference. */
		stop_machine(unpark_five, item->co, NULL);
		CST_SOON(READ_ONCE(item->count) >= round);
		usleep_range(5000, 6000);
		CST_EQ(round, READ_ONCE(item->count));
	}
	open_gate();
	CST_FINISH(group, 42);
}

/* === Where it is refused === */

static DEFINE_SPINLOCK(lock);
static DECLARE_WAIT_QUEUE_HEAD(never);

static void enter_preempt(void)
{
	preempt_disable();
}

static void leave_preempt(void)
{
	preempt_enable();
}

static void enter_irqs(void)
{
	local_irq_disable();
}

static void leave_irqs(void)
{
	local_irq_enable();
}

static void enter_bh(void)
{
	local_bh_disable();
}

static void leave_bh(void)
{
	local_bh_enable();
}

static void enter_rcu(void)
	__acquires(RCU)
{
	rcu_read_lock();
}

static void leave_rcu(void)
	__releases(RCU)
{
	rcu_read_unlock();
}

static void enter_lock(void)
	__acquires(&lock)
{
	spin_lock(&lock);
}

static void leave_lock(void)
	__releases(&lock)
{
	spin_unlock(&lock);
}

static const struct {
	void	(*enter)(void);
	void	(*leave)(void);
} atomics[] = {
	{ enter_preempt, leave_preempt },
	{ enter_irqs, leave_irqs },
	{ enter_bh, leave_bh },
	{ enter_rcu, leave_rcu },
	{ enter_lock, leave_lock },
};

/* All that could park, in a place or on a stack where it may not. */
static void try_all(struct costack_chan *chan)
{
	long value = 0;

	CST_EQ(-EINVAL, costack_park());
	CST_EQ(-EINVAL, costack_yield());
	CST_EQ(-EINVAL, costack_sleep(1));
	CST_EQ(-EINVAL, costack_wait_event(never, false));
	CST_EQ(-EINVAL, costack_wait_event_timeout(never, false, 1));
	CST_EQ(-EINVAL, costack_chan_send(chan, &value));
	CST_EQ(-EINVAL, costack_chan_recv(chan, &value));
}

static int try_all_on_host(void *chan)
{
	try_all(chan);
	return 0;
}

static int refused_body(void *arg)
{
	struct cst_item *item = arg;
	struct costack_chan *chan = item->group->data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(atomics); i++) {
		atomics[i].enter();
		try_all(chan);
		atomics[i].leave();
		/* It goes on, and here it may. */
		costack_unpark(costack_current());
		CST_EQ(0, costack_park());
		CST_EQ(0, costack_yield());
		CST_EQ(0, costack_sleep(1));
	}
	CST_EQ(0, costack_sleep(-1));
	costack_on_host(try_all_on_host, chan);
	CST_TRUE(cst_nobody_waits(&never));
	return 42;
}

static void park_refused(const long *args)
{
	struct costack_chan *chan = costack_chan_create(sizeof(long), 0);
	struct cst_group *group;

	if (!CST_TRUE(chan))
		return;
	group = cst_items_new(1, args[0], refused_body, chan, NULL);
	if (group) {
		cst_items_start(group);
		CST_FINISH(group, 42);
	}
	costack_chan_destroy(chan);
}

static void park_thread(const long *args)
{
	struct costack_chan *chan = costack_chan_create(sizeof(long), 0);

	if (!CST_TRUE(chan))
		return;
	try_all(chan);
	CST_TRUE(cst_nobody_waits(&never));
	costack_chan_destroy(chan);
}

/* === Sleeping === */

/*
 * A sleep must not be later than a sleep of the thread itself, by more than so many jiffies: one
 * of five, or of as many as it takes on a machine that is busy now and then.
 */
#define LATE_BEST	3
#define SLEEPS_MIN	5
#define SLEEPS_MAX	500

static long sleep_once(long timeout)
{
	unsigned long start = jiffies;
	long late;

	CST_EQ(0, costack_sleep(timeout));
	late = (long)(jiffies - start) - timeout;
	CST_TRUE(late >= 0);
	cst_figure(CST_SLEEPS, 1);
	cst_figure(CST_JIFFIES_LATE, late);
	return late;
}

static int thread_sleep(void *arg)
{
	schedule_timeout_uninterruptible(*(long *)arg);
	return 0;
}

/* The same on the host stack: how late the machine is just now. */
static long thread_sleep_once(long timeout)
{
	unsigned long start = jiffies;

	costack_on_host(thread_sleep, &timeout);
	return (long)(jiffies - start) - timeout;
}

static int sleep_body(void *arg)
{
	static const long timeouts[] = { 0, 1, 2, 3, 5, 10 };
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(timeouts); i++) {
		long best = LONG_MAX;

		for (round = 0; round < SLEEPS_MIN ||
		     (best > LATE_BEST && round < SLEEPS_MAX); round++)
			best = min(best, sleep_once(timeouts[i]) -
					 max(0L, thread_sleep_once(timeouts[i])));
		CST_TRUE(best <= LATE_BEST);
	}
	return 42;
}

static void sleep_case(const long *args)
{
	struct cst_group *group = cst_items_new(1, args[0], sleep_body, NULL, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

static int unparked_body(void *arg)
{
	struct cst_item *item = arg;
	long left;

	WRITE_ONCE(item->co, costack_current());
	left = costack_sleep(1000 * HZ);
	CST_TRUE(left > 900 * HZ && left <= 1000 * HZ);
	/* Neither the timer nor the permit of the first sleep is left. */
	sleep_once(2);
	WRITE_ONCE(item->count, 1);
	left = costack_sleep(MAX_SCHEDULE_TIMEOUT);
	CST_EQ(MAX_SCHEDULE_TIMEOUT, left);
	sleep_once(2);
	return pass_gate();
}

static void sleep_unparked(const long *args)
{
	struct cst_group *group = start_one(args[0], unparked_body);
	struct cst_item *item;

	if (!group)
		return;
	item = &group->item[0];
	if (CST_SOON(READ_ONCE(item->co))) {
		msleep(20);
		costack_unpark(item->co);
		/* This comes during the endless sleep, not during the short one before it. */
		CST_SOON(READ_ONCE(item->count) == 1);
		costack_unpark(item->co);
	}
	open_gate();
	CST_FINISH(group, 42);
}

static atomic_t nr_begun;

static int sleep_many_body(void *arg)
{
	struct cst_item *item = arg;

	atomic_inc(&nr_begun);
	do
		sleep_once(HZ / 5);
	while (atomic_read(&nr_begun) < item->group->nr && !cst_failures());
	return 42;
}

static void sleep_many(const long *args)
{
	struct cst_group *group = cst_items_new(args[0], false, sleep_many_body, NULL, NULL);

	atomic_set(&nr_begun, 0);
	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
}

/* A move must not take a small number beside half of an address for the whole. */
static int place_body(void *arg)
{
	const u32 small = 64 << 20;

	CST_TRUE((u32)current_stack_pointer + small >= 2 * small);
	return pass_gate();
}

static void park_places(const long *args)
{
	struct cst_group *group = cst_items_new(args[0], false, place_body, NULL, NULL);

	WRITE_ONCE(may_go, false);
	if (!CST_TRUE(group) || !CST_TRUE(cst_items_start(group)))
		return;
	open_gate();
	CST_FINISH(group, 42);
}

static const struct cst_case cases[] = {
	{ "park-early", park_early },
	{ "park-merge", park_merge },
	{ "park-refused", park_refused },
	{ "park-thread", park_thread },
	{ "park-places", park_places },
	{ "sleep", sleep_case },
	{ "sleep-unparked", sleep_unparked },
	{ "sleep-many", sleep_many },
	{ }
};

struct cst_suite cst_park = { .owner = THIS_MODULE, .cases = cases };
