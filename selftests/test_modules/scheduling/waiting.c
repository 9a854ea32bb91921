// SPDX-License-Identifier: GPL-2.0
/*
 * Coroutines that wait in every possible way while the script does something to the machine,
 * between the two cases.
 *
 *	waiting-begin CALLED CPU HOW	all of them wait, each last seen on CPU;
 *					-1: anywhere. HOW, for those of costack_call():
 *					1: their threads get SIGUSR1; 2: may be frozen
 *	waiting-end			wake them; each goes on, grows, and ends
 *	wait-in-writer			the writing process waits for an item, until
 *					release; it is sent a signal meanwhile
 *
 * Some do not wait but are busy, and yield now and then.
 */
#include <linux/cpumask.h>
#include <linux/freezer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/sched/signal.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool told, may_end;
static struct costack_chan *empty, *full;
static struct cst_group *group;
static long wanted_cpu, how;

#define WITH_SIGNALS	1
#define FREEZABLE	2

static bool is_told(void)
{
	return READ_ONCE(told);
}

static int freeze(void *unused)
{
	try_to_freeze();
	return 0;
}

/* Coroutines that are busy call this in each round. */
static bool goes_on(void)
{
	if (how == FREEZABLE)
		costack_on_host(freeze, NULL);
	return !is_told();
}

/* === Ways === */

static void by_park(void)
{
	CST_EQ(0, costack_park());
}

static void by_sleep(void)
{
	CST_TRUE(costack_sleep(1000 * HZ) > 0);
}

static void by_naps(void)
{
	while (goes_on() && CST_EQ(0, costack_sleep(2)))
		;
}

static void by_event(void)
{
	CST_EQ(0, costack_wait_event(queue, is_told()));
}

static void by_event_timeout(void)
{
	CST_TRUE(costack_wait_event_timeout(queue, is_told(), 1000 * HZ) > 0);
}

static void by_timeouts(void)
{
	long left;

	do
		left = costack_wait_event_timeout(queue, is_told(), 2);
	while (!left && goes_on());
	if (!left)
		return;
	CST_TRUE(left > 0);
}

static void by_receive(void)
{
	long value = 0;

	CST_EQ(0, costack_chan_recv(empty, &value));
	CST_EQ(4711, value);
}

static void by_send(void)
{
	long value = 4712;

	CST_EQ(0, costack_chan_send(full, &value));
}

static int sleep_on_host(void *unused)
{
	usleep_range(10000, 12000);
	return 0;
}

/* With its thread. */
static void by_thread(void)
{
	while (goes_on())
		costack_on_host(sleep_on_host, NULL);
}

static void by_yield(void)
{
	while (goes_on() && CST_EQ(0, costack_yield()))
		;
}

static void by_computing(void)
{
	while (goes_on() && CST_EQ(0, costack_yield()))
		cst_spin_usecs(2000);
}

/* With adaptive_start it begins as large as it has grown before, and in the end with the limit. */
static int outgrow(void *unused)
{
	if (costack_stack_size() <= SZ_32K)
		cst_outgrow();
	return 0;
}

/* A stack of its own grows, again and again. */
static void by_growing(void)
{
	while (goes_on() && CST_EQ(0, costack_call(outgrow, NULL)) &&
	       CST_EQ(0, costack_yield()))
		;
}

/* The first so many are ended by one unpark, the next by @told alone. */
static void (* const ways[])(void) = {
	by_park, by_sleep,
	by_event, by_event_timeout, by_receive, by_send,
	by_naps, by_timeouts, by_thread, by_yield, by_computing, by_growing,
};

#define UNPARKED	2
/* These are parked until they are told. */
#define STEADY		6
/* Of each. */
#define COPIES		2

/* === The case === */

/* The thread is not bound: afterwards it may run anywhere, as before. */
static int go_to_cpu(void *unused)
{
	cpumask_var_t allowed;

	if (!CST_TRUE(alloc_cpumask_var(&allowed, GFP_KERNEL)))
		return -ENOMEM;
	cpumask_copy(allowed, current->cpus_ptr);
	CST_EQ(0, set_cpus_allowed_ptr(current, cpumask_of(wanted_cpu)));
	CST_EQ(0, set_cpus_allowed_ptr(current, allowed));
	free_cpumask_var(allowed);
	return 0;
}

/* What a thread is before, and has had afterwards. */
static int prepare(void *unused)
{
	if (how == WITH_SIGNALS)
		allow_signal(SIGUSR1);
	if (how == FREEZABLE)
		set_freezable();
	return 0;
}

static int look_back(void *unused)
{
	if (how == WITH_SIGNALS)
		CST_TRUE(signal_pending(current));
	return 0;
}

static int body(void *arg)
{
	struct cst_item *item = arg;
	unsigned int way = item->nr % ARRAY_SIZE(ways);

	while (wanted_cpu >= 0 && cst_cpu() != wanted_cpu && !cst_failures())
		costack_on_host(go_to_cpu, NULL);
	costack_on_host(prepare, NULL);
	WRITE_ONCE(item->co, costack_current());
	WRITE_ONCE(item->count, 1);
	ways[way]();
	CST_TRUE(is_told());
	costack_on_host(look_back, NULL);
	outgrow(NULL);
	/* The waker may still be in its unpark. */
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(may_end)));
	return 42;
}

static bool make_channels(void)
{
	long value = 4710;

	empty = costack_chan_create(sizeof(long), 0);
	full = costack_chan_create(sizeof(long), 1);
	return CST_TRUE(empty && full) && CST_EQ(0, costack_chan_try_send(full, &value));
}

static void waiting_begin(const long *args)
{
	unsigned int i;

	wanted_cpu = args[1];
	how = args[2];
	WRITE_ONCE(told, false);
	WRITE_ONCE(may_end, false);
	if (!CST_TRUE(!group && (args[0] || !how)) || !make_channels())
		return;
	group = cst_items_new(COPIES * ARRAY_SIZE(ways), args[0], body, NULL, NULL);
	if (!group)
		return;
	cst_items_start(group);
	for (i = 0; i < group->started; i++)
		CST_SOON(READ_ONCE(group->item[i].count));
	/* Nothing counts coroutines of costack_call() that wait. */
	if (args[0])
		msleep(100);
	else
		CST_SOON(cst_parked() >= COPIES * STEADY);
}

static void wake_all(void)
{
	unsigned int i;
	long value;

	WRITE_ONCE(told, true);
	wake_up_all(&queue);
	for (i = 0; i < group->started; i++)
		if (i % ARRAY_SIZE(ways) < UNPARKED)
			costack_unpark(group->item[i].co);
	for (i = 0; i < COPIES; i++) {
		value = 4711;
		CST_SOON(!costack_chan_try_send(empty, &value));
		CST_SOON(!costack_chan_try_recv(full, &value));
		CST_EQ(i ? 4712 : 4710, value);
	}
	WRITE_ONCE(may_end, true);
	wake_up_all(&queue);
}

static void waiting_end(const long *args)
{
	struct cst_group *waiting = group;

	if (!CST_TRUE(waiting))
		return;
	wake_all();
	/* Coroutines that hang still use it. */
	group = NULL;
	if (!CST_FINISH(waiting, 42))
		return;
	costack_chan_destroy(empty);
	costack_chan_destroy(full);
}

static int until_release(void *unused)
{
	return costack_wait_for_completion(&cst_release) ?: 42;
}

static void wait_in_writer(const long *args)
{
	static struct costack_work work;

	costack_work_init(&work, until_release, NULL, NULL);
	if (!CST_EQ(0, costack_queue(&work)))
		return;
	CST_EQ(42, costack_wait(&work));
	CST_TRUE(signal_pending(current));
}

static const struct cst_case cases[] = {
	{ "waiting-begin", waiting_begin },
	{ "waiting-end", waiting_end },
	{ "wait-in-writer", wait_in_writer, .in_writer = true },
	{ }
};

struct cst_suite cst_waiting = { .owner = THIS_MODULE, .cases = cases };
