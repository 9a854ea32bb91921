// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of work items. CALLED is 2 for a parent that is an ordinary thread, 1 for a coroutine of
 * costack_call(), 0 for a work item.
 *
 *	group-many CALLED N	so many children, some of which wait
 *	group-tree CALLED DEPTH WIDTH
 *				each child has a group of its own
 *	group-same CALLED DEPTH WIDTH
 *				children start others in their own group
 *	group-error CALLED N HOW
 *				one of so many children fails: see failures[]
 *	group-last CALLED	the error of the child that is alone
 *	group-cancel CALLED	costack_group_cancel() while the parent waits
 *	group-parent HOW WHEN	the parent is cancelled, see parents[], at a stage, see stages[]
 *	group-parent-race ROUNDS HOW
 *				likewise, at any moment
 *	group-start-race ROUNDS	children are started while the group is cancelled
 *	group-overflow		the parent is cut off at the limit of its stack
 *	group-forget CALLED	the parent does not destroy its group
 *	group-handed-over	somebody else destroys the group
 *	group-itself		a child waits for its own group
 *	group-server N		a group with N children, one after the other
 *	group-waits		what debugfs says of a parent that waits
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "items.h"

/* Children that were started, that have begun, and that have ended. */
static atomic_t nr_started, nr_begun, nr_ended;

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static void set_gate(bool open)
{
	WRITE_ONCE(gate_is_open, open);
	wake_up_all(&gate);
}

static void reset(void)
{
	atomic_set(&nr_started, 0);
	atomic_set(&nr_begun, 0);
	atomic_set(&nr_ended, 0);
	set_gate(false);
}

/* No child is alive. */
static bool all_ended(void)
{
	return CST_EQ(atomic_read(&nr_begun), atomic_read(&nr_ended)) &&
	       CST_TRUE(cst_nobody_waits(&gate));
}

/* Run @fn once, as a thread, a called coroutine or an item. */
static void run_parent(long called, costack_fn_t fn, void *data, int expected)
{
	struct cst_group *group = cst_items_new(1, called, fn, data, NULL);

	if (!group)
		return;
	if (called == 2) {
		CST_EQ(expected, cst_thread_run(CST_ANY_CPU, fn, &group->item[0]));
		cst_items_free(group);
		return;
	}
	cst_items_start(group);
	CST_FINISH(group, expected);
}

static void *data_of(void *item)
{
	return ((struct cst_item *)item)->group->data;
}

/* Children are cut off by a cancel, too. */
static void child_ends(void *unused)
{
	atomic_inc(&nr_ended);
}

static int start(struct costack_group *group, costack_fn_t fn, void *arg)
{
	int err = costack_group_start(group, fn, arg, NULL);

	if (!err)
		atomic_inc(&nr_started);
	return err;
}

/* === Many === */

static int busy_child(void *arg)
{
	unsigned long nr = (unsigned long)arg;
	int err = 0;

	atomic_inc(&nr_begun);
	if (nr % 4 == 1)
		err = costack_yield();
	else if (nr % 4 == 2)
		err = costack_sleep(nr % 3);
	else if (nr % 64 == 3)
		cst_outgrow();
	atomic_inc(&nr_ended);
	return err;
}

static int many_body(void *arg)
{
	unsigned long nr = *(const long *)data_of(arg), i;
	struct costack_group *group = costack_group_create();
	int round;

	if (!CST_TRUE(group))
		return -ENOMEM;
	CST_EQ(0, costack_group_wait(group));
	for (round = 1; round <= 2; round++) {
		for (i = 0; i < nr; i++)
			if (!CST_EQ(0, start(group, busy_child, (void *)i)))
				break;
		CST_EQ(0, costack_group_wait(group));
		CST_EQ(nr * round, atomic_read(&nr_ended));
	}
	costack_group_destroy(group);
	return 42;
}

static void group_many(const long *args)
{
	long nr = args[1];

	reset();
	run_parent(args[0], many_body, &nr, 42);
	all_ended();
}

/* === Trees === */

/**
 * struct branch - a child that has others
 * @group: the group that the others are started in, or %NULL: one of its own
 * @depth: levels below
 * @width: others that it starts
 */
struct branch {
	struct costack_group	*group;
	long			depth;
	long			width;
};

static int grow_branch(void *arg);

static int start_branch(struct costack_group *group, const struct branch *above)
{
	struct branch *branch = kmalloc(sizeof(*branch), GFP_KERNEL);
	int err;

	if (!branch)
		return -ENOMEM;
	*branch = *above;
	branch->depth--;
	err = start(group, grow_branch, branch);
	if (err)
		kfree(branch);
	return err;
}

static int grow_branch(void *arg)
{
	struct branch *branch = arg;
	struct costack_group *group = branch->group ?: costack_group_create();
	int err = 0;
	long i;

	atomic_inc(&nr_begun);
	if (!group)
		err = -ENOMEM;
	for (i = 0; branch->depth && i < branch->width && !err; i++)
		err = start_branch(group, branch);
	if (!branch->group) {
		err = err ?: costack_group_wait(group);
		costack_group_destroy(group);
	} else {
		err = err ?: costack_yield();
	}
	kfree(branch);
	atomic_inc(&nr_ended);
	return err;
}

static int tree_body(void *arg)
{
	const struct branch *top = data_of(arg);
	struct costack_group *group = costack_group_create();
	struct branch branch = *top;

	if (!CST_TRUE(group))
		return -ENOMEM;
	if (top->group)
		branch.group = group;
	CST_EQ(0, start_branch(group, &branch));
	CST_EQ(0, costack_group_wait(group));
	costack_group_destroy(group);
	return 42;
}

static void tree(const long *args, bool same)
{
	/* Any address says that all are to use the one group. */
	struct branch top = { same ? (void *)args : NULL, args[1] + 1, args[2] };
	long level, nodes = 0, all = 0;

	reset();
	for (level = 0; level <= args[1]; level++) {
		nodes = level ? nodes * args[2] : 1;
		all += nodes;
	}
	run_parent(args[0], tree_body, &top, 42);
	CST_EQ(all, atomic_read(&nr_begun));
	all_ended();
}

static void group_tree(const long *args)
{
	tree(args, false);
}

static void group_same(const long *args)
{
	tree(args, true);
}

/* === Errors === */

/* Waits until it is cancelled. Its own error comes late. */
static int waiting_child(void *arg)
{
	int err;

	atomic_inc(&nr_begun);
	err = costack_wait_event(gate, READ_ONCE(gate_is_open));
	atomic_inc(&nr_ended);
	return err ? -EIO : 0;
}

/* It is cut off where it is parked. */
static int abortable_child(void *arg)
{
	atomic_inc(&nr_begun);
	CST_EQ(0, costack_defer(child_ends, NULL));
	costack_park();
	return -EIO;
}

static int positive_child(void *arg)
{
	return 42;
}

static int failing_child(void *arg)
{
	return -EREMOTE;
}

static int overflowing_child(void *arg)
{
	return cst_overflow();
}

static int cancelled_child(void *arg)
{
	return -ECANCELED;
}

static const struct failure {
	costack_fn_t		fn;
	struct costack_attr	attr;
	int			err;
} failures[] = {
	{ failing_child, { }, -EREMOTE },
	{ overflowing_child, { .stack_limit = 8192, .flags = COSTACK_ABORTABLE }, -EOVERFLOW },
	{ cancelled_child, { }, -ECANCELED },
};

static int error_body(void *arg)
{
	const struct costack_attr abortable = { .flags = COSTACK_ABORTABLE };
	const struct costack_attr bad = { .stack_limit = 1 << 20 };
	const long *args = data_of(arg);
	const struct failure *failure = &failures[args[2]];
	struct costack_group *group = costack_group_create();
	long i;

	if (!CST_TRUE(group))
		return -ENOMEM;
	CST_EQ(0, start(group, positive_child, NULL));
	/* A child that does not start is no error of the group. */
	CST_EQ(-EINVAL, costack_group_start(group, positive_child, NULL, &bad));
	CST_EQ(-EINVAL, costack_group_start(group, NULL, NULL, NULL));
	CST_EQ(0, costack_group_wait(group));
	for (i = 0; i < args[1]; i++) {
		if (i % 2)
			CST_EQ(0, start(group, waiting_child, NULL));
		else
			CST_EQ(0, costack_group_start(group, abortable_child, NULL, &abortable));
	}
	CST_EQ(0, costack_group_start(group, failure->fn, NULL, &failure->attr));
	CST_EQ(failure->err, costack_group_wait(group));
	/* Those that had not begun did not begin. */
	CST_EQ(atomic_read(&nr_begun), atomic_read(&nr_ended));
	CST_EQ(-ECANCELED, costack_group_start(group, positive_child, NULL, NULL));
	CST_EQ(failure->err, costack_group_wait(group));
	costack_group_destroy(group);
	return 42;
}

static void group_error(const long *args)
{
	reset();
	run_parent(args[0], error_body, (void *)args, 42);
	all_ended();
}

static int last_body(void *arg)
{
	struct costack_group *group = costack_group_create();

	if (!CST_TRUE(group))
		return -ENOMEM;
	CST_EQ(0, start(group, failing_child, NULL));
	CST_EQ(-EREMOTE, costack_group_wait(group));
	costack_group_destroy(group);
	/* Destroy waits as well. */
	group = costack_group_create();
	if (!CST_TRUE(group))
		return -ENOMEM;
	CST_EQ(0, start(group, busy_child, (void *)2));
	CST_EQ(0, start(group, failing_child, NULL));
	costack_group_destroy(group);
	costack_group_destroy(NULL);
	return 42;
}

static void group_last(const long *args)
{
	reset();
	run_parent(args[0], last_body, NULL, 42);
	all_ended();
}

/* === Cancelled by somebody === */

static struct costack_group *shared;

static int cancel_body(void *arg)
{
	struct costack_group *group = costack_group_create();
	int i;

	if (!CST_TRUE(group))
		return -ENOMEM;
	for (i = 0; i < 10; i++)
		CST_EQ(0, start(group, waiting_child, NULL));
	/* Pairs with the acquires below: they see the children started. */
	smp_store_release(&shared, group);
	CST_EQ(-EIO, costack_group_wait(group));
	CST_EQ(10, atomic_read(&nr_ended));
	costack_group_destroy(group);
	return 42;
}

static int canceller(void *unused)
{
	struct costack_group *group;

	/* Pairs with the release of who made it. */
	CST_SOON(group = smp_load_acquire(&shared));
	CST_SOON(atomic_read(&nr_begun) == 10);
	costack_group_cancel(group);
	return 0;
}

static void group_cancel(const long *args)
{
	struct cst_thread thread;

	reset();
	shared = NULL;
	if (!CST_EQ(0, cst_thread_start(&thread, CST_ANY_CPU, canceller, NULL)))
		return;
	run_parent(args[0], cancel_body, NULL, 42);
	wait_for_completion(&thread.done);
	all_ended();
}

/* === The parent is cancelled === */

/* How far the parent is when it is cancelled. */
enum stage {
	BEFORE_CREATE,
	BEFORE_START,
	BEFORE_WAIT,
	IN_WAIT,
	IN_DESTROY,
	NR_STAGES
};

/* The parent tells that it is there, and waits until it is cancelled. */
static void reach(struct cst_item *item, enum stage stage, enum stage when)
{
	if (stage != when)
		return;
	WRITE_ONCE(item->count, 1);
	CST_EQ(-ECANCELED, costack_wait_event(gate, false));
}

static int parent_body(void *arg)
{
	struct cst_item *item = arg;
	enum stage when = *(const long *)item->group->data;
	struct costack_group *group;
	int err = 0, i;

	reach(item, BEFORE_CREATE, when);
	group = costack_group_create();
	if (!CST_TRUE(group))
		return -ENOMEM;
	reach(item, BEFORE_START, when);
	for (i = 0; i < 20; i++)
		CST_EQ(0, start(group, waiting_child, NULL));
	reach(item, BEFORE_WAIT, when);
	if (when != IN_DESTROY) {
		if (when == IN_WAIT)
			WRITE_ONCE(item->count, 1);
		err = costack_group_wait(group);
		CST_EQ(atomic_read(&nr_begun), atomic_read(&nr_ended));
	} else {
		WRITE_ONCE(item->count, 1);
	}
	costack_group_destroy(group);
	CST_EQ(atomic_read(&nr_begun), atomic_read(&nr_ended));
	return err;
}

/* An abortable parent has cut-off frames, which the children must not outlive. */
static int abortable_parent(void *arg)
{
	return parent_body(arg);
}

static void cancel_parent(bool abortable, long when)
{
	const struct costack_attr attr = { .flags = abortable ? COSTACK_ABORTABLE : 0 };
	costack_fn_t body = abortable ? abortable_parent : parent_body;
	struct cst_group *group = cst_items_new(1, false, body, &when, &attr);

	if (!group)
		return;
	cst_items_start(group);
	CST_SOON(READ_ONCE(group->item[0].count));
	CST_EQ(0, costack_cancel(&group->item[0].work));
	CST_FINISH(group, when == IN_DESTROY && !abortable ? 0 : -ECANCELED);
	all_ended();
}

static void group_parent(const long *args)
{
	long when;

	for (when = 0; when < NR_STAGES; when++) {
		reset();
		cancel_parent(args[0], when);
	}
}

static int racing_parent(void *arg)
{
	struct cst_item *item = arg;
	struct costack_group *group;
	int i, err;

	WRITE_ONCE(item->count, 1);
	group = costack_group_create();
	if (!CST_TRUE(group))
		return -ENOMEM;
	for (i = 0; i < 3; i++)
		CST_EQ(0, start(group, waiting_child, NULL));
	err = costack_group_wait(group);
	CST_EQ(-ECANCELED, err);
	CST_EQ(atomic_read(&nr_begun), atomic_read(&nr_ended));
	costack_group_destroy(group);
	return err;
}

static void group_parent_race(const long *args)
{
	const struct costack_attr attr = { .flags = args[1] ? COSTACK_ABORTABLE : 0 };
	struct cst_group *group = cst_items_new(1, false, racing_parent, NULL, &attr);
	struct cst_item *item;
	long round;
	u64 start;

	if (!group)
		return;
	item = &group->item[0];
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		reset();
		item->count = 0;
		group->joined = 0;
		group->started = 0;
		cst_items_start(group);
		CST_SPIN(READ_ONCE(item->count));
		for (start = ktime_get_ns(); ktime_get_ns() - start < round % 64 * 1000; )
			cpu_relax();
		CST_EQ(0, costack_cancel(&item->work));
		if (!CST_JOIN(group) || !CST_EQ(-ECANCELED, item->ret))
			break;
		all_ended();
	}
	cst_items_free(group);
}

/* === Started while it is cancelled === */

static int quick_child(void *arg)
{
	atomic_inc(&nr_begun);
	atomic_inc(&nr_ended);
	return 0;
}

static int late_canceller(void *arg)
{
	struct costack_group *group = arg;

	CST_SPIN(atomic_read(&nr_begun) > 2);
	costack_group_cancel(group);
	return 0;
}

static int starter(void *arg)
{
	struct cst_item *item = arg;
	struct costack_group *group = item->group->data;
	int err;

	do {
		err = start(group, item->nr % 2 ? waiting_child : quick_child, NULL);
		item->count++;
	} while (!err && item->count < 100000);
	CST_EQ(-ECANCELED, err);
	return 42;
}

static void start_race_once(void)
{
	struct costack_group *group = costack_group_create();
	struct cst_group *starters;
	struct cst_thread thread;
	int err;

	reset();
	if (!CST_TRUE(group))
		return;
	starters = cst_items_new(4, false, starter, group, NULL);
	if (!starters || !CST_EQ(0, cst_thread_start(&thread, CST_ANY_CPU, late_canceller, group)))
		return;
	cst_items_start(starters);
	CST_FINISH(starters, 42);
	wait_for_completion(&thread.done);
	err = costack_group_wait(group);
	CST_TRUE(!err || err == -ECANCELED || err == -EIO);
	all_ended();
	costack_group_destroy(group);
}

static void group_start_race(const long *args)
{
	long round;

	for (round = 0; round < args[0] && !cst_failures(); round++)
		start_race_once();
}

/* === Cut off at the limit === */

static int overflowing_parent(void *arg)
{
	struct costack_group *group = costack_group_create();
	int i;

	if (!CST_TRUE(group))
		return -ENOMEM;
	for (i = 0; i < 10; i++)
		CST_EQ(0, start(group, waiting_child, NULL));
	CST_EQ(0, start(group, busy_child, (void *)2));
	i = cst_overflow();
	/* Not reached. */
	CST_EQ(0, 1);
	costack_group_destroy(group);
	return i;
}

static void group_overflow(const long *args)
{
	const struct costack_attr attr = { .stack_limit = 16384, .flags = COSTACK_ABORTABLE };
	struct cst_group *group = cst_items_new(1, false, overflowing_parent, NULL, &attr);

	reset();
	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, -EOVERFLOW);
	all_ended();
}

/* === Forgotten === */

static int forgetting_body(void *arg)
{
	struct costack_group *group = costack_group_create();
	int i;

	if (!CST_TRUE(group))
		return -ENOMEM;
	for (i = 0; i < 10; i++)
		CST_EQ(0, start(group, waiting_child, NULL));
	return 42;
}

static void group_forget(const long *args)
{
	int round;

	/* The second one is not reported. */
	for (round = 0; round < 2; round++) {
		reset();
		run_parent(args[0], forgetting_body, NULL, 42);
		all_ended();
	}
}

static int creating_body(void *arg)
{
	struct costack_group *group = costack_group_create();

	if (!CST_TRUE(group))
		return -ENOMEM;
	CST_EQ(0, start(group, busy_child, (void *)2));
	/* Pairs with the acquires below: they see the children started. */
	smp_store_release(&shared, group);
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	return 42;
}

static void group_handed_over(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, creating_body, NULL, NULL);

	reset();
	shared = NULL;
	if (!group)
		return;
	cst_items_start(group);
	/* Pairs with the release of who made it. */
	CST_SOON(smp_load_acquire(&shared));
	CST_EQ(0, costack_group_wait(shared));
	CST_EQ(0, start(shared, busy_child, (void *)1));
	costack_group_destroy(shared);
	set_gate(true);
	CST_FINISH(group, 42);
	all_ended();
}

/* === Itself === */

static int self_child(void *arg)
{
	struct costack_group *group = arg, *own = costack_group_create();

	atomic_inc(&nr_begun);
	CST_EQ(-EDEADLK, costack_group_wait(group));
	costack_group_destroy(group);
	/* Another group is none of this. */
	if (CST_TRUE(own)) {
		CST_EQ(0, start(own, quick_child, NULL));
		CST_EQ(0, costack_group_wait(own));
		costack_group_destroy(own);
	}
	atomic_inc(&nr_ended);
	return 0;
}

static void group_itself(const long *args)
{
	struct costack_group *group = costack_group_create();

	reset();
	if (!CST_TRUE(group))
		return;
	CST_EQ(0, start(group, self_child, group));
	CST_EQ(0, costack_group_wait(group));
	costack_group_destroy(group);
	all_ended();
}

/* === For ever === */

static long slab_bytes(void)
{
	return (long)global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) << PAGE_SHIFT;
}

static int server_body(void *arg)
{
	long nr = *(const long *)data_of(arg), i, before = 0;
	struct costack_group *group = costack_group_create();

	if (!CST_TRUE(group))
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		if (i == nr / 10)
			before = slab_bytes();
		if (!CST_EQ(0, start(group, quick_child, NULL)) || costack_yield())
			break;
		/* No more than so many at a time. */
		CST_SPIN(atomic_read(&nr_started) - atomic_read(&nr_ended) < 64);
	}
	/* All that have ended since would be six times as much. */
	CST_TRUE(slab_bytes() - before < nr * 25);
	CST_EQ(0, costack_group_wait(group));
	costack_group_destroy(group);
	return 42;
}

static void group_server(const long *args)
{
	long nr = args[0];

	reset();
	run_parent(0, server_body, &nr, 42);
	CST_EQ(nr, atomic_read(&nr_ended));
}

/* === Seen from outside === */

/* The script looks at it, and releases it. */
static void group_waits(const long *args)
{
	long when = IN_WAIT;
	struct cst_group *group = cst_items_new(1, false, parent_body, &when, NULL);

	reset();
	if (!group)
		return;
	cst_items_start(group);
	reinit_completion(&cst_release);
	wait_for_completion(&cst_release);
	set_gate(true);
	CST_FINISH(group, 0);
	all_ended();
}

static const struct cst_case cases[] = {
	{ "group-many", group_many },
	{ "group-tree", group_tree },
	{ "group-same", group_same },
	{ "group-error", group_error },
	{ "group-last", group_last },
	{ "group-cancel", group_cancel },
	{ "group-parent", group_parent },
	{ "group-parent-race", group_parent_race },
	{ "group-start-race", group_start_race },
	{ "group-overflow", group_overflow },
	{ "group-forget", group_forget },
	{ "group-handed-over", group_handed_over },
	{ "group-itself", group_itself },
	{ "group-server", group_server },
	{ "group-waits", group_waits },
	{ }
};

struct cst_suite cst_groups = { .owner = THIS_MODULE, .cases = cases };
