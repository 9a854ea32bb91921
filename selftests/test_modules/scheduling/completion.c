// SPDX-License-Identifier: GPL-2.0
/*
 * Completions: costack's own, and the kernel's.
 *
 *	completion-order		who waits first is served first, coroutine or thread
 *	completion-all CALLED N HOW	all of so many are let go on; HOW: see completers[]
 *	completion-storm CALLED N ROUNDS
 *					a timer's interrupts complete what so many wait for
 *	completion-timeout CALLED N ROUNDS
 *					the same, with limits of time that are nearly right
 *	completion-cancel N		all of so many are cancelled while it is completed
 *	completion-stack CALLED ROUNDS	it lies on the stack of who waits for it
 *	kcompletion-many N		so many wait for a struct completion each, and none of them
 *					holds a worker
 *	kcompletion-shared N ROUNDS	so many, and as many threads, wait for one
 *	kcompletion-all N		complete_all()
 *	kcompletion-stack ROUNDS	it lies on the stack of who waits for it
 *	kcompletion-cancel		a cancel does not end the wait
 *	kcompletion-held		who has set something in its thread holds it
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swait.h>

#include "items.h"

static DEFINE_COSTACK_COMPLETION(it);

/* How many wait for @it. */
static long nr_waiting(void)
{
	struct list_head *pos;
	unsigned long flags;
	long nr = 0;

	raw_spin_lock_irqsave(&it.lock, flags);
	list_for_each(pos, &it.waiters)
		nr++;
	raw_spin_unlock_irqrestore(&it.lock, flags);
	return nr;
}

/* What a hard interrupt calls once, so many ns from now. */
static struct hrtimer timer;
static void (*tick)(void);

static enum hrtimer_restart run_tick(struct hrtimer *unused)
{
	tick();
	return HRTIMER_NORESTART;
}

static void from_irq(void (*fn)(void), unsigned int nsecs)
{
	tick = fn;
	costack_hrtimer_setup(&timer, run_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, ns_to_ktime(nsecs), HRTIMER_MODE_REL_HARD);
}

static void complete_it(void)
{
	costack_complete(&it);
}

static void complete_it_for_all(void)
{
	costack_complete_all(&it);
}

/* === In order === */

#define ORDERED	9

static atomic_t nr_served;

/* Every third one is a thread, every third one a called coroutine. */
static int ordered_body(void *arg)
{
	struct cst_item *item = arg;

	CST_EQ(0, costack_completion_wait(&it));
	item->count = atomic_inc_return(&nr_served);
	return 42;
}

static int ordered_call(void *arg)
{
	return costack_call(ordered_body, arg);
}

static void completion_order(const long *args)
{
	struct cst_group *group = cst_items_new(ORDERED, false, ordered_body, NULL, NULL);
	struct cst_item *item;
	unsigned int i;

	costack_completion_init(&it);
	atomic_set(&nr_served, 0);
	if (!group)
		return;
	CST_EQ(false, costack_completion_done(&it));
	CST_EQ(false, costack_completion_try_wait(&it));
	for (i = 0; i < ORDERED; i++) {
		item = &group->item[i];
		if (i % 3)
			CST_EQ(0, cst_thread_start(&item->thread, CST_ANY_CPU,
						   i % 3 == 1 ? ordered_body : ordered_call, item));
		else
			CST_EQ(0, costack_queue(&item->work));
		CST_SOON(nr_waiting() == i + 1);
	}
	for (i = 0; i < ORDERED; i++) {
		item = &group->item[i];
		if (i % 2)
			from_irq(complete_it, 1000);
		else
			costack_complete(&it);
		CST_SOON(atomic_read(&nr_served) == i + 1);
		CST_EQ(ORDERED - 1 - i, nr_waiting());
		if (i % 3)
			wait_for_completion(&item->thread.done);
		else
			CST_EQ(42, costack_wait(&item->work));
		CST_EQ(i + 1, item->count);
	}
	cst_items_free(group);
	/* What nobody waits for is counted. */
	costack_complete(&it);
	costack_complete(&it);
	CST_TRUE(costack_completion_done(&it));
	CST_EQ(0, costack_completion_wait(&it));
	CST_EQ(0, costack_completion_wait_timeout(&it, 0));
	CST_EQ(-ETIMEDOUT, costack_completion_wait_timeout(&it, 0));
	CST_EQ(-ETIMEDOUT, costack_completion_wait_timeout(&it, 1));
	CST_EQ(0, nr_waiting());
}

/* === All === */

static int waiting_body(void *arg)
{
	struct cst_item *item = arg;
	int err;

	item->count++;
	err = costack_completion_wait(&it);
	item->count++;
	return err ?: 42;
}

static void all_at_once(void)
{
	costack_complete_all(&it);
}

static void all_in_irq(void)
{
	from_irq(complete_it_for_all, 1000);
}

static void one_by_one(void)
{
	while (nr_waiting())
		costack_complete(&it);
	costack_complete_all(&it);
}

static void (* const completers[])(void) = { all_at_once, all_in_irq, one_by_one };

static void completion_all(const long *args)
{
	struct cst_group *group = cst_items_new(args[1], args[0], waiting_body, NULL, NULL);

	costack_completion_init(&it);
	if (!group)
		return;
	cst_items_start(group);
	CST_SOON(nr_waiting() == args[1]);
	completers[args[2]]();
	CST_FINISH(group, 42);
	CST_TRUE(costack_completion_done(&it));
	CST_TRUE(costack_completion_try_wait(&it));
	CST_TRUE(costack_completion_try_wait(&it));
	costack_completion_reinit(&it);
	CST_EQ(false, costack_completion_try_wait(&it));
}

/* === Each is taken once === */

static atomic_t nr_taken;
static long timeout;

/* Returns after so many. */
static int taking_body(void *arg)
{
	struct cst_item *item = arg;
	const long *rounds = item->group->data;
	int err;

	while (item->count < *rounds) {
		err = timeout ? costack_completion_wait_timeout(&it, timeout) :
				costack_completion_wait(&it);
		if (!err) {
			atomic_inc(&nr_taken);
			item->count++;
		} else if (!CST_EQ(-ETIMEDOUT, err)) {
			return err;
		}
	}
	return 42;
}

static struct hrtimer storm;
static atomic_t nr_left;

static enum hrtimer_restart storm_tick(struct hrtimer *unused)
{
	if (atomic_dec_return(&nr_left) < 0)
		return HRTIMER_NORESTART;
	costack_complete(&it);
	hrtimer_forward_now(&storm, ns_to_ktime(20000));
	return HRTIMER_RESTART;
}

static void take_all(const long *args)
{
	long nr = args[1] * args[2], rounds = args[2];
	struct cst_group *group = cst_items_new(args[1], args[0], taking_body, &rounds, NULL);

	costack_completion_init(&it);
	atomic_set(&nr_taken, 0);
	atomic_set(&nr_left, nr);
	if (!group)
		return;
	cst_items_start(group);
	costack_hrtimer_setup(&storm, storm_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&storm, ns_to_ktime(20000), HRTIMER_MODE_REL_HARD);
	CST_FINISH(group, 42);
	hrtimer_cancel(&storm);
	CST_EQ(nr, atomic_read(&nr_taken));
	CST_EQ(false, costack_completion_done(&it));
	CST_EQ(0, nr_waiting());
}

static void completion_storm(const long *args)
{
	timeout = 0;
	take_all(args);
}

static void completion_timeout(const long *args)
{
	timeout = 1;
	take_all(args);
}

/* === Cancelled === */

static int cancelled_body(void *arg)
{
	int err = costack_completion_wait(&it);

	if (!err)
		atomic_inc(&nr_taken);
	else
		CST_EQ(-ECANCELED, err);
	return 42;
}

static void completion_cancel(const long *args)
{
	struct cst_group *group = cst_items_new(args[0], false, cancelled_body, NULL, NULL);
	unsigned int i, left = 0;

	costack_completion_init(&it);
	atomic_set(&nr_taken, 0);
	atomic_set(&nr_left, args[0] / 2);
	if (!group)
		return;
	cst_items_start(group);
	CST_SOON(nr_waiting() == args[0]);
	costack_hrtimer_setup(&storm, storm_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&storm, ns_to_ktime(20000), HRTIMER_MODE_REL_HARD);
	for (i = args[0]; i--; )
		costack_cancel(&group->item[i].work);
	CST_FINISH(group, 42);
	CST_SOON(atomic_read(&nr_left) < 0);
	hrtimer_cancel(&storm);
	/* None is lost. */
	while (costack_completion_try_wait(&it))
		left++;
	CST_EQ(args[0] / 2, atomic_read(&nr_taken) + left);
	CST_EQ(0, nr_waiting());
}

/* === On the stack === */

static struct costack_completion *on_stack;

static void complete_on_stack(void)
{
	costack_complete(on_stack);
}

static noinline void stack_round(long round)
{
	struct costack_completion own;

	CST_EQ(0, costack_pin());
	costack_completion_init(&own);
	on_stack = &own;
	from_irq(complete_on_stack, round % 100 * 300);
	if (round % 2)
		CST_EQ(0, costack_completion_wait(&own));
	else
		CST_EQ(0, costack_completion_wait_timeout(&own, CST_PATIENCE));
	CST_EQ(false, costack_completion_done(&own));
	/* Nobody uses it any more. */
	memset(&own, 0xa5, sizeof(own));
	barrier_data(&own);
	CST_EQ(0, costack_unpin());
	CST_EQ(-EINVAL, costack_unpin());
}

static int stack_body(void *arg)
{
	struct cst_item *item = arg;
	const long *rounds = item->group->data;

	for (; item->count < *rounds && !cst_failures(); item->count++)
		stack_round(item->count);
	return 42;
}

static void completion_stack(const long *args)
{
	long rounds = args[1];
	struct cst_group *group = cst_items_new(1, args[0], stack_body, &rounds, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	hrtimer_cancel(&timer);
}

/* === The kernel's === */

static int many_body(void *arg)
{
	struct cst_item *item = arg;
	struct completion *done = item->group->data;

	return costack_wait_for_completion(&done[item->nr]) ?: 42;
}

static void kcompletion_many(const long *args)
{
	struct completion *done = kvcalloc(args[0], sizeof(*done), GFP_KERNEL);
	struct cst_group *group = cst_items_new(args[0], false, many_body, done, NULL);
	long i;

	if (!group || !CST_TRUE(done))
		return;
	for (i = 0; i < args[0]; i++)
		init_completion(&done[i]);
	/* Some are complete already, or while the others begin. */
	for (i = 0; i < args[0]; i += 10)
		complete(&done[i]);
	cst_items_start(group);
	for (i = 1; i < args[0]; i += 10)
		complete(&done[i]);
	CST_SOON(cst_parked() == args[0] - (args[0] + 9) / 10 - (args[0] + 8) / 10);
	CST_TRUE(cst_stat("runners") < args[0] / 4);
	for (i = args[0]; i--; )
		if (i % 10 > 1)
			complete(&done[i]);
	CST_JOIN(group);
	for (i = 0; i < args[0]; i++)
		CST_EQ(false, completion_done(&done[i]));
	CST_FINISH(group, 42);
	kvfree(done);
}

static DECLARE_COMPLETION(shared);

static int shared_body(void *arg)
{
	struct cst_item *item = arg;
	const long *rounds = item->group->data;

	for (; item->count < *rounds; item->count++) {
		costack_wait_for_completion(&shared);
		atomic_inc(&nr_taken);
	}
	return 42;
}

static int shared_thread(void *arg)
{
	struct cst_item *item = arg;
	const long *rounds = item->group->data;

	for (; item->count < *rounds; item->count++) {
		wait_for_completion(&shared);
		atomic_inc(&nr_taken);
	}
	return 42;
}

static int in_thread(void *arg)
{
	return costack_on_host(shared_thread, arg);
}

static enum hrtimer_restart shared_tick(struct hrtimer *unused)
{
	if (atomic_dec_return(&nr_left) < 0)
		return HRTIMER_NORESTART;
	complete(&shared);
	hrtimer_forward_now(&storm, ns_to_ktime(20000));
	return HRTIMER_RESTART;
}

static void kcompletion_shared(const long *args)
{
	long rounds = args[1], nr = 2 * args[0] * args[1];
	struct cst_group *items = cst_items_new(args[0], false, shared_body, &rounds, NULL);
	struct cst_group *threads = cst_items_new(args[0], true, in_thread, &rounds, NULL);

	if (!items || !threads)
		return;
	reinit_completion(&shared);
	atomic_set(&nr_taken, 0);
	atomic_set(&nr_left, nr);
	cst_items_start(items);
	cst_items_start(threads);
	costack_hrtimer_setup(&storm, shared_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&storm, ns_to_ktime(20000), HRTIMER_MODE_REL_HARD);
	CST_FINISH(items, 42);
	CST_FINISH(threads, 42);
	hrtimer_cancel(&storm);
	CST_EQ(nr, atomic_read(&nr_taken));
	CST_EQ(false, completion_done(&shared));
	CST_EQ(false, swait_active(&shared.wait));
}

static void kcompletion_all(const long *args)
{
	long rounds = 3;
	struct cst_group *group = cst_items_new(args[0], false, shared_body, &rounds, NULL);

	if (!group)
		return;
	reinit_completion(&shared);
	atomic_set(&nr_taken, 0);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	complete_all(&shared);
	CST_FINISH(group, 42);
	CST_EQ(3 * args[0], atomic_read(&nr_taken));
	CST_TRUE(completion_done(&shared));
	CST_EQ(false, swait_active(&shared.wait));
}

static struct completion *kernel_on_stack;

static void complete_kernel_on_stack(void)
{
	complete(kernel_on_stack);
}

static noinline void kernel_stack_round(long round)
{
	struct completion own;

	CST_EQ(0, costack_pin());
	init_completion(&own);
	kernel_on_stack = &own;
	from_irq(complete_kernel_on_stack, round % 100 * 1000);
	CST_EQ(0, costack_wait_for_completion(&own));
	CST_EQ(false, completion_done(&own));
	memset(&own, 0xa5, sizeof(own));
	barrier_data(&own);
	CST_EQ(0, costack_unpin());
	CST_EQ(-EINVAL, costack_unpin());
}

static int kernel_stack_body(void *arg)
{
	struct cst_item *item = arg;
	const long *rounds = item->group->data;

	for (; item->count < *rounds && !cst_failures(); item->count++)
		kernel_stack_round(item->count);
	return 42;
}

static void kcompletion_stack(const long *args)
{
	long rounds = args[0];
	struct cst_group *group = cst_items_new(1, false, kernel_stack_body, &rounds, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	hrtimer_cancel(&timer);
}

static int uncancelled_body(void *arg)
{
	int err = costack_wait_for_completion(&shared);

	/* Only now it is told. */
	CST_EQ(-ECANCELED, costack_yield());
	return err ?: 42;
}

static void kcompletion_cancel(const long *args)
{
	struct cst_group *group = cst_items_new(10, false, uncancelled_body, NULL, NULL);
	unsigned int i;

	if (!group)
		return;
	reinit_completion(&shared);
	cst_items_start(group);
	CST_SOON(cst_parked() == 10);
	for (i = 0; i < 10; i++)
		CST_EQ(0, costack_cancel(&group->item[i].work));
	usleep_range(1000, 2000);
	for (i = 0; i < 10; i++) {
		CST_EQ(false, READ_ONCE(group->item[i].work.done));
		complete(&shared);
	}
	CST_FINISH(group, 42);
	CST_EQ(false, completion_done(&shared));
}

static int held_body(void *arg)
{
	int err;

	/* As a kernel function that was called on the way may have it. */
	current->journal_info = arg;
	err = costack_wait_for_completion(&shared);
	CST_TRUE(current->journal_info == arg);
	current->journal_info = NULL;
	return err ?: 42;
}

static void complete_shared(void)
{
	complete(&shared);
}

static void kcompletion_held(const long *args)
{
	struct cst_group *group = cst_items_new(1, false, held_body, NULL, NULL);

	if (!group)
		return;
	reinit_completion(&shared);
	cst_items_start(group);
	CST_SOON(swait_active(&shared.wait));
	from_irq(complete_shared, 1000);
	CST_FINISH(group, 42);
	hrtimer_cancel(&timer);
}

static const struct cst_case cases[] = {
	{ "completion-order", completion_order },
	{ "completion-all", completion_all },
	{ "completion-storm", completion_storm },
	{ "completion-timeout", completion_timeout },
	{ "completion-cancel", completion_cancel },
	{ "completion-stack", completion_stack },
	{ "kcompletion-many", kcompletion_many },
	{ "kcompletion-shared", kcompletion_shared },
	{ "kcompletion-all", kcompletion_all },
	{ "kcompletion-stack", kcompletion_stack },
	{ "kcompletion-cancel", kcompletion_cancel },
	{ "kcompletion-held", kcompletion_held },
	{ }
};

struct cst_suite cst_completions = { .owner = THIS_MODULE, .cases = cases };
