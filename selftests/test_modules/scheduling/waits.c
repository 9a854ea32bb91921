// SPDX-License-Identifier: GPL-2.0
/*
 * Waits as plain code writes them: conditions that wait, timeouts that are over, threads
 * that are to stop, items that fail or have just ended. CALLED is 1 for coroutines of
 * costack_call(), 0 for work items.
 *
 *	nested-wait CALLED HOW	the condition itself waits: see ways[]
 *	wait-past CALLED	a timeout that is over already
 *	thread-stop HOW		kthread_stop() of a thread that waits in costack_call()
 *	thread-stop-race ROUNDS	the same, just when it begins to wait
 *	thread-park		kthread_park()
 *	thread-park-late	kthread_park() between the check of the condition and the wait
 *	queue-fails MSECS	somebody waits for an item that cannot be queued
 *	wait-itself		an item waits for itself
 *	item-let-go ROUNDS	after the wait for an item nothing holds its module
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool told;

/* === A condition that waits === */

static DECLARE_WAIT_QUEUE_HEAD(inner);
static int inner_stage;
static struct costack_chan *ask, *answer;

/**
 * struct nest - a wait whose condition waits
 * @looks: times that the condition was looked at
 * @way: what it does then
 * @ended: the wait has ended
 */
struct nest {
	long		looks;
	long		way;
	bool		ended;
};

static void way_sleep(struct nest *nest)
{
	CST_EQ(0, costack_sleep(1));
}

static void way_chan(struct nest *nest)
{
	long value = nest->looks;

	CST_EQ(0, costack_chan_send(ask, &value));
	CST_EQ(0, costack_chan_recv(answer, &value));
	CST_EQ(-nest->looks, value);
}

static int child_body(void *arg)
{
	return costack_sleep(1) ?: 42;
}

static void way_item(struct nest *nest)
{
	struct costack_work *child = kmalloc(sizeof(*child), GFP_KERNEL);

	if (!CST_TRUE(child))
		return;
	costack_work_init(child, child_body, NULL, NULL);
	CST_EQ(0, costack_queue(child));
	CST_EQ(42, costack_wait(child));
	kfree(child);
}

static void way_event(struct nest *nest)
{
	long looks = nest->looks;

	CST_EQ(0, costack_wait_event(inner, READ_ONCE(inner_stage) >= looks));
}

/* Nested to any depth; the innermost wait is told last. */
static void way_deep(struct nest *nest)
{
	CST_EQ(0, costack_wait_event(inner, (way_event(nest), READ_ONCE(inner_stage) >= 1)));
}

static void (* const ways[])(struct nest *nest) = {
	way_sleep, way_chan, way_item, way_event, way_deep,
};

/* The outer wait is woken while the coroutine waits here: that must count afterwards. */
static bool look_and_wait(struct nest *nest)
{
	bool is_told = READ_ONCE(told);

	WRITE_ONCE(nest->looks, nest->looks + 1);
	ways[nest->way](nest);
	return is_told;
}

static int nested_body(void *arg)
{
	struct cst_item *item = arg;
	struct nest *nest = item->group->data;

	CST_EQ(0, costack_wait_event(queue, look_and_wait(nest)));
	WRITE_ONCE(nest->ended, true);
	/* Neither a wake-up nor a timer of that wait is left. */
	CST_EQ(0, costack_sleep(2));
	return 42;
}

static int answerer(void *arg)
{
	long value;

	while (!costack_chan_recv(ask, &value)) {
		CST_EQ(0, costack_sleep(2));
		value = -value;
		CST_EQ(0, costack_chan_send(answer, &value));
	}
	return 42;
}

static void wake_both(int stage)
{
	WRITE_ONCE(inner_stage, stage);
	wake_up(&queue);
	wake_up(&inner);
	usleep_range(1000, 1500);
}

static void nested_wait(const long *args)
{
	static struct nest nest;
	struct cst_group *group = cst_items_new(1, args[0], nested_body, &nest, NULL);
	struct cst_group *helper = cst_items_new(1, false, answerer, NULL, NULL);
	int i;

	ask = costack_chan_create(sizeof(long), 0);
	answer = costack_chan_create(sizeof(long), 0);
	if (!group || !helper || !CST_TRUE(ask && answer))
		return;
	nest = (struct nest) { .way = args[1] };
	WRITE_ONCE(told, false);
	WRITE_ONCE(inner_stage, 0);
	cst_items_start(helper);
	cst_items_start(group);
	/* Wake-ups that find the condition false, while it waits and when it does not. */
	for (i = 1; i <= 20; i++)
		wake_both(i);
	WRITE_ONCE(told, true);
	/* One is enough for the outer wait; the inner one may have to be told its stage. */
	wake_up(&queue);
	CST_UNTIL(READ_ONCE(nest.ended), "the wait has ended", ({
		WRITE_ONCE(inner_stage, ++i);
		wake_up(&inner);
		usleep_range(1000, 1500);
	}));
	costack_chan_close(ask);
	CST_FINISH(group, 42);
	CST_FINISH(helper, 42);
	/* The condition is checked after a wake-up, and not again and again. */
	CST_TRUE(nest.looks >= 1 && nest.looks <= 30);
	CST_TRUE(cst_nobody_waits(&queue) && cst_nobody_waits(&inner));
	costack_chan_destroy(ask);
	costack_chan_destroy(answer);
}

/* === A timeout that is over === */

static int past_body(void *arg)
{
	static const long past[] = { 0, -1, -1000, LONG_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		CST_EQ(0, costack_wait_event_timeout(queue, false, past[i]));
		CST_EQ(1, costack_wait_event_timeout(queue, true, past[i]));
		CST_EQ(0, costack_sleep(past[i]));
	}
	return 42;
}

static void wait_past(const long *args)
{
	struct cst_group *group = cst_items_new(1, args[0], past_body, NULL, NULL);

	if (!group)
		return;
	cst_items_start(group);
	CST_FINISH(group, 42);
	CST_TRUE(cst_nobody_waits(&queue));
}

/* === A thread that is to stop === */

static long looks, how;
static bool in_time;
static bool loops;

static bool should_stop(void)
{
	WRITE_ONCE(looks, looks + 1);
	return kthread_should_stop() || kthread_should_park();
}

static int stop_event(void)
{
	return costack_wait_event(queue, should_stop());
}

static int stop_park(void)
{
	return should_stop() ? 0 : costack_park();
}

static int stop_sleep(void)
{
	return should_stop() || costack_sleep(1000 * HZ) > 0 ? 0 : -ETIME;
}

static int inner_loop(void *arg)
{
	return stop_event();
}

static int stop_nested(void)
{
	return costack_call(inner_loop, NULL);
}

/* The wait in the condition ends by the stop, after the condition has been looked at. */
static int stop_in_sleep(void)
{
	return costack_wait_event(queue, should_stop() || (costack_sleep(1000 * HZ), false));
}

static int inner_sleep(void *arg)
{
	costack_sleep(1000 * HZ);
	return 0;
}

static int stop_in_call(void)
{
	return costack_wait_event(queue, should_stop() || costack_call(inner_sleep, NULL));
}

static int (* const stops[])(void) = {
	stop_event, stop_park, stop_sleep, stop_nested, stop_in_sleep, stop_in_call,
};

static int main_loop(void *arg)
{
	WRITE_ONCE(loops, true);
	while (!kthread_should_stop() && CST_EQ(0, stops[how]()))
		;
	/* A stop ends one wait early; further waits are up to the thread. */
	if (in_time)
		CST_EQ(0, costack_sleep(2));
	return 42;
}

static int main_thread(void *arg)
{
	return costack_call(main_loop, NULL);
}

static int stop_it(void *thread)
{
	return kthread_stop(thread);
}

static struct task_struct *start_main(long way)
{
	struct task_struct *thread;

	how = way;
	WRITE_ONCE(looks, 0);
	WRITE_ONCE(loops, false);
	thread = kthread_run(main_thread, NULL, "costack_test");
	CST_TRUE(!IS_ERR(thread));
	return IS_ERR(thread) ? NULL : thread;
}

/* In another thread, because this hangs if the thread does not stop. */
static void stop_main(struct task_struct *thread)
{
	static struct cst_thread stopper;

	if (!CST_EQ(0, cst_thread_start(&stopper, CST_ANY_CPU, stop_it, thread)))
		return;
	if (CST_TRUE(wait_for_completion_timeout(&stopper.done, CST_PATIENCE)))
		CST_EQ(42, stopper.ret);
}

static void thread_stop(const long *args)
{
	struct task_struct *thread;

	in_time = true;
	thread = start_main(args[0]);
	if (!thread)
		return;
	CST_SOON(READ_ONCE(loops));
	/* It waits. */
	CST_SOON(READ_ONCE(thread->__state) & TASK_NOLOAD);
	stop_main(thread);
	CST_TRUE(looks <= 3);
	CST_TRUE(cst_nobody_waits(&queue));
}

static void thread_stop_race(const long *args)
{
	struct task_struct *thread;
	long round;

	in_time = false;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		thread = start_main(round % ARRAY_SIZE(stops));
		if (!thread)
			return;
		CST_SPIN(READ_ONCE(loops));
		cst_spin_usecs(round % 32);
		stop_main(thread);
	}
}

static int park_here(void *unused)
{
	kthread_parkme();
	return 0;
}

/* As the main loop of a thread for each CPU does it. */
static int parking_loop(void *arg)
{
	while (!kthread_should_stop()) {
		CST_EQ(0, stop_event());
		if (kthread_should_park())
			costack_on_host(park_here, NULL);
	}
	return 42;
}

static int parking_thread(void *arg)
{
	return costack_call(parking_loop, NULL);
}

static int park_and_stop(void *thread)
{
	int i;

	for (i = 0; i < 3; i++) {
		CST_EQ(0, kthread_park(thread));
		kthread_unpark(thread);
		msleep(20);
	}
	return kthread_stop(thread);
}

/* @stopper hangs if the thread does not do what it is asked to. */
static void run_parking(int (*thread_fn)(void *), int (*stopper)(void *))
{
	struct task_struct *thread = kthread_run(thread_fn, NULL, "costack_test");
	static struct cst_thread parker;

	if (!CST_TRUE(!IS_ERR(thread)) ||
	    !CST_EQ(0, cst_thread_start(&parker, CST_ANY_CPU, stopper, thread)))
		return;
	if (CST_TRUE(wait_for_completion_timeout(&parker.done, CST_PATIENCE)))
		CST_EQ(42, parker.ret);
}

static void thread_park(const long *args)
{
	run_parking(parking_thread, park_and_stop);
}

/* Set between the check of the condition and the wait, after one kthread_park() has been heeded. */
static bool parked_once, checked;

static bool is_asked(void)
{
	unsigned long end = jiffies + CST_PATIENCE;
	bool asked = should_stop();

	if (asked || !parked_once || checked)
		return asked;
	WRITE_ONCE(checked, true);
	while (!kthread_should_park() && time_before(jiffies, end))
		cond_resched();
	return false;
}

static int late_loop(void *arg)
{
	WRITE_ONCE(loops, true);
	while (!kthread_should_stop()) {
		CST_EQ(0, costack_wait_event(queue, is_asked()));
		if (kthread_should_park()) {
			costack_on_host(park_here, NULL);
			parked_once = true;
		}
	}
	return 42;
}

static int late_thread(void *arg)
{
	return costack_call(late_loop, NULL);
}

static int park_twice_and_stop(void *thread)
{
	/* The kernel itself parks a thread that has not begun. */
	CST_SOON(READ_ONCE(loops));
	CST_EQ(0, kthread_park(thread));
	kthread_unpark(thread);
	CST_SOON(READ_ONCE(checked));
	CST_EQ(0, kthread_park(thread));
	kthread_unpark(thread);
	return kthread_stop(thread);
}

static void thread_park_late(const long *args)
{
	parked_once = false;
	WRITE_ONCE(loops, false);
	WRITE_ONCE(checked, false);
	run_parking(late_thread, park_twice_and_stop);
}

/* === Items === */

static struct costack_work failing;
static unsigned long nr_waits;
static bool stop;

static int nothing(void *arg)
{
	return 0;
}

/* Any time that somebody says it is not done may be the time that it is waited for. */
static int wait_on_and_on(void *arg)
{
	while (!READ_ONCE(stop)) {
		costack_wait(&failing);
		WRITE_ONCE(nr_waits, nr_waits + 1);
		cond_resched();
	}
	return 42;
}

static void queue_fails(const long *args)
{
	struct costack_attr bad = { .stack_limit = 1 << 30 };
	unsigned long end = jiffies + msecs_to_jiffies(args[0]);
	static struct cst_thread waiter;

	costack_work_init(&failing, nothing, NULL, &bad);
	nr_waits = 0;
	WRITE_ONCE(stop, false);
	if (!CST_EQ(0, cst_thread_start(&waiter, CST_ANY_CPU, wait_on_and_on, NULL)))
		return;
	while (time_before(jiffies, end) ||
	       (!READ_ONCE(nr_waits) && time_before(jiffies, end + CST_PATIENCE))) {
		CST_EQ(-EINVAL, costack_queue(&failing));
		cond_resched();
	}
	WRITE_ONCE(stop, true);
	CST_TRUE(wait_for_completion_timeout(&waiter.done, CST_PATIENCE));
	CST_TRUE(nr_waits > 0);
	CST_TRUE(cst_nobody_waits(&failing.wait));
}

static int wait_itself_body(void *arg)
{
	return costack_wait(arg);
}

static void wait_itself(const long *args)
{
	static struct costack_work work;

	costack_work_init(&work, wait_itself_body, &work, NULL);
	CST_EQ(0, costack_queue(&work));
	if (CST_SOON(READ_ONCE(work.done)))
		CST_EQ(-EINVAL, costack_wait(&work));
}

/*
 * The worker that has run the item is held up where it releases the module, long enough for
 * the waiter to return if it did not wait for that.
 */
static int hold_up(struct kprobe *probe, struct pt_regs *regs)
{
	if (current->flags & PF_WQ_WORKER)
		mdelay(5);
	return 0;
}
NOKPROBE_SYMBOL(hold_up);

static void item_let_go(const long *args)
{
	static struct costack_work work;
	static struct kprobe probe;
	int before = module_refcount(THIS_MODULE);
	long round;

	probe = (struct kprobe) { .symbol_name = "module_put", .pre_handler = hold_up };
	costack_work_init(&work, nothing, NULL, NULL);
	if (!CST_EQ(0, register_kprobe(&probe)))
		return;
	for (round = 0; round < args[0] && !cst_failures(); round++) {
		CST_EQ(0, costack_queue(&work));
		/* Every other time it has ended before anybody waits. */
		if (round % 2)
			CST_SOON(READ_ONCE(work.done));
		CST_EQ(0, costack_wait(&work));
		CST_EQ(before, module_refcount(THIS_MODULE));
	}
	unregister_kprobe(&probe);
}

static const struct cst_case cases[] = {
	{ "nested-wait", nested_wait },
	{ "wait-past", wait_past },
	{ "thread-stop", thread_stop },
	{ "thread-stop-race", thread_stop_race },
	{ "thread-park", thread_park },
	{ "thread-park-late", thread_park_late },
	{ "queue-fails", queue_fails },
	{ "wait-itself", wait_itself },
	{ "item-let-go", item_let_go },
	{ }
};

struct cst_suite cst_waits = { .owner = THIS_MODULE, .cases = cases };
