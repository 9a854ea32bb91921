// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: on ordinary wait queues, for work items, for completions. CALLED is 1
 * for coroutines of costack_call(), 0 for work items.
 *
 *	wait-event CALLED	what it returns when nobody wakes it
 *	wait-wake CALLED ITEMS	woken by a thread and by an interrupt
 *	wait-race CALLED ROUNDS	a wake-up and the timeout, at the same time
 *	wait-tree		1000 items that start and wait for each other
 *	wait-same		several that wait for one item
 *	wait-completion CALLED
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(queue);

static void run_one(bool called, costack_fn_t fn, void *data)
{
	struct cst_group *group = cst_items_new(1, called, fn, data, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	CST_TRUE(cst_nobody_waits(&queue));
}

/* === What it returns === */

/* Three ticks, from the first look on. */
static bool have_passed(unsigned long *start)
{
	unsigned long now = jiffies;

	if (!*start)
		*start = now;
	return now - *start >= 3;
}

static int event_body(void *arg)
{
	unsigned long start;
	long parks = cst_stat("parks");

	CST_EQ(0, costack_wait_event(queue, true));
	CST_EQ(1, costack_wait_event_timeout(queue, true, 0));
	CST_EQ(5, costack_wait_event_timeout(queue, true, 5));
	CST_EQ(0, costack_wait_event_timeout(queue, false, 0));
	CST_EQ(parks, cst_stat("parks"));
	CST_TRUE(cst_nobody_waits(&queue));

	start = jiffies;
	CST_EQ(0, costack_wait_event_timeout(queue, false, 3));
	CST_TRUE(jiffies - start >= 3);
	/* True when the time has passed, though nobody sends a wake-up. */
	start = 0;
	CST_EQ(1, costack_wait_event_timeout(queue, have_passed(&start), 3));
	CST_EQ(parks + 2, cst_stat("parks"));
	CST_TRUE(cst_nobody_waits(&queue));
	return 42;
}

static void wait_event_case(const long *args)
{
	run_one(args[0], event_body, NULL);
}

/* === Woken === */

/* Each coroutine waits until it has come to 1, then to 2, and so on. */
static int stage;

#define STAGES	4

static int wake_body(void *arg)
{
	struct cst_item *item = arg;
	int i;

	for (i = 1; i <= STAGES; i++) {
		if (i % 2)
			CST_EQ(0, costack_wait_event(queue, READ_ONCE(stage) >= i));
		else
			CST_TRUE(costack_wait_event_timeout(queue, READ_ONCE(stage) >= i,
							    1000 * HZ) > 900 * HZ);
		WRITE_ONCE(item->count, i);
	}
	return 42;
}

static bool all_at(const struct cst_group *group, long count)
{
	unsigned int i;

	for (i = 0; i < group->nr; i++)
		if (READ_ONCE(group->item[i].count) != count)
			return false;
	return true;
}

/*
 * The strictest context that may wake a wait queue: on a real-time kernel its lock sleeps,
 * and this timer expires in a thread.
 */
static enum hrtimer_restart next_stage(struct hrtimer *timer)
{
	CST_TRUE(in_hardirq() || IS_ENABLED(CONFIG_PREEMPT_RT));
	WRITE_ONCE(stage, stage + 1);
	wake_up_all(&queue);
	return HRTIMER_NORESTART;
}

static void wait_wake(const long *args)
{
	struct cst_group *group = cst_items_new(args[1], args[0], wake_body, NULL, NULL);
	static struct hrtimer timer;
	int i;

	if (!group)
		return;
	stage = 0;
	costack_hrtimer_setup(&timer, next_stage, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	cst_items_start(group);
	for (i = 1; i <= STAGES; i++) {
		/* The condition is still false: they go on waiting. */
		usleep_range(5000, 6000);
		wake_up_all(&queue);
		usleep_range(5000, 6000);
		CST_TRUE(all_at(group, i - 1));
		if (i > STAGES / 2) {
			hrtimer_start(&timer, 0, HRTIMER_MODE_REL);
			/* A thread may wait in the same queue. */
			CST_TRUE(wait_event_timeout(queue, READ_ONCE(stage) >= i, CST_PATIENCE));
		} else {
			WRITE_ONCE(stage, i);
			wake_up(&queue);
		}
		CST_SOON(all_at(group, i));
	}
	hrtimer_cancel(&timer);
	CST_FINISH(group, 42);
	CST_TRUE(cst_nobody_waits(&queue));
}

/* === A wake-up and the timeout === */

/**
 * struct race - which of the two came first, in many rounds
 * @timer: wakes up
 * @posted: it has done so
 * @rounds: how many at least
 * @woken: the wake-up was seen
 * @timed_out: the time had passed, and the wake-up was yet to come
 */
struct race {
	struct hrtimer	timer;
	bool		posted;
	long		rounds;
	long		woken;
	long		timed_out;
};

static enum hrtimer_restart post(struct hrtimer *timer)
{
	struct race *race = container_of(timer, struct race, timer);

	WRITE_ONCE(race->posted, true);
	wake_up(&queue);
	return HRTIMER_NORESTART;
}

static void race_once(struct race *race, unsigned int usecs)
{
	unsigned long start = jiffies;
	long ret;

	WRITE_ONCE(race->posted, false);
	hrtimer_start(&race->timer, ns_to_ktime(usecs * NSEC_PER_USEC), HRTIMER_MODE_REL);
	ret = costack_wait_event_timeout(queue, READ_ONCE(race->posted), 2);
	CST_TRUE(ret >= 0 && ret <= 2);
	if (ret) {
		race->woken++;
		CST_TRUE(READ_ONCE(race->posted));
	} else {
		race->timed_out++;
		CST_TRUE(jiffies - start >= 2);
		/* Not lost, whichever of the two came first. */
		CST_EQ(0, costack_wait_event(queue, READ_ONCE(race->posted)));
	}
	hrtimer_cancel(&race->timer);
}

static int race_body(void *arg)
{
	struct cst_item *item = arg;
	struct race *race = item->group->data;
	const unsigned int tick = USEC_PER_SEC / HZ;

	/*
	 * The timeout comes one to two ticks later, mostly. On a busy machine neither may
	 * ever win in time: the wake-up comes later from round to round.
	 */
	while (item->count < (race->timed_out ? 1 : 20) * race->rounds && !cst_failures()) {
		race_once(race, tick / 2 + 2 * tick * item->count / race->rounds);
		item->count++;
	}
	return 42;
}

static void wait_race(const long *args)
{
	static struct race race;

	race = (struct race) { .rounds = args[1] };
	costack_hrtimer_setup(&race.timer, post, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	run_one(args[0], race_body, &race);
	CST_TRUE(race.rounds <= race.woken + race.timed_out);
	CST_TRUE(race.woken > 0);
	CST_TRUE(race.timed_out > 0);
}

/* === Waiting for items === */

/**
 * struct node - an item that starts and waits for others
 * @work: the item
 * @level: 0: it starts none
 */
struct node {
	struct costack_work	work;
	unsigned int		level;
};

/* 1 + 9 + 9 * 10 + 9 * 10 * 10 nodes. */
static unsigned int children_of(unsigned int level)
{
	return level == 3 ? 9 : level ? 10 : 0;
}

/* Returns how many nodes there are from here down. */
static int node_body(void *arg)
{
	const struct node *node = arg;
	unsigned int i, nr = children_of(node->level);
	struct node *children;
	int sum = 1;

	if (!nr)
		return costack_yield() ?: 1;
	children = kcalloc(nr, sizeof(*children), GFP_KERNEL);
	if (!CST_TRUE(children))
		return 0;
	for (i = 0; i < nr; i++) {
		children[i].level = node->level - 1;
		costack_work_init(&children[i].work, node_body, &children[i], NULL);
		CST_EQ(0, costack_queue(&children[i].work));
	}
	for (i = 0; i < nr; i++)
		sum += costack_wait(&children[i].work);
	kfree(children);
	return sum;
}

static int tree_body(void *arg)
{
	struct node *root = kzalloc(sizeof(*root), GFP_KERNEL);

	if (!CST_TRUE(root))
		return 0;
	root->level = 3;
	costack_work_init(&root->work, node_body, root, NULL);
	CST_EQ(0, costack_queue(&root->work));
	CST_EQ(1000, costack_wait(&root->work));
	kfree(root);
	return 42;
}

static int tree_thread(void *arg)
{
	return tree_body(arg);
}

static void wait_tree(const long *args)
{
	/* The last to wait is a coroutine, then a thread. */
	run_one(false, tree_body, NULL);
	if (!cst_failures())
		CST_EQ(42, cst_thread_run(CST_ANY_CPU, tree_thread, NULL));
}

static int same_target(void *arg)
{
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(stage)));
	return 42;
}

static int same_waiter(void *arg)
{
	struct cst_item *item = arg;
	struct cst_group *target = item->group->data;

	return costack_wait(&target->item[0].work);
}

static void wait_same(const long *args)
{
	struct cst_group *target = cst_items_new(1, false, same_target, NULL, NULL);
	struct cst_group *called = cst_items_new(5, true, same_waiter, target, NULL);
	struct cst_group *items = cst_items_new(5, false, same_waiter, target, NULL);

	WRITE_ONCE(stage, 0);
	if (target && called && items && cst_items_start(target)) {
		cst_items_start(called);
		cst_items_start(items);
		CST_SOON(cst_parked() == 6);
		WRITE_ONCE(stage, 1);
		wake_up(&queue);
		CST_FINISH(called, 42);
		CST_FINISH(items, 42);
		/* Waiting again is allowed. */
		CST_EQ(42, costack_wait(&target->item[0].work));
		CST_EQ(42, costack_wait(&target->item[0].work));
		CST_FINISH(target, 42);
	}
}

/* === Completions === */

static int completion_body(void *arg)
{
	struct cst_item *item = arg;
	struct completion *done = item->group->data;

	/* The first is there, the second is not. */
	CST_EQ(0, costack_wait_for_completion(done));
	WRITE_ONCE(item->count, 1);
	CST_EQ(0, costack_wait_for_completion(done));
	WRITE_ONCE(item->count, 2);
	return 42;
}

static void wait_completion(const long *args)
{
	static DECLARE_COMPLETION(done);
	struct cst_group *group = cst_items_new(1, args[0], completion_body, &done, NULL);

	if (!group)
		return;
	reinit_completion(&done);
	complete(&done);
	cst_items_start(group);
	CST_SOON(READ_ONCE(group->item[0].count) == 1);
	usleep_range(5000, 6000);
	CST_EQ(1, READ_ONCE(group->item[0].count));
	complete(&done);
	CST_FINISH(group, 42);
	/* From a thread too. */
	complete(&done);
	CST_EQ(0, costack_wait_for_completion(&done));
	CST_EQ(false, completion_done(&done));
}

static const struct cst_case cases[] = {
	{ "wait-event", wait_event_case },
	{ "wait-wake", wait_wake },
	{ "wait-race", wait_race },
	{ "wait-tree", wait_tree },
	{ "wait-same", wait_same },
	{ "wait-completion", wait_completion },
	{ }
};

struct cst_suite cst_waitq = { .owner = THIS_MODULE, .cases = cases };
