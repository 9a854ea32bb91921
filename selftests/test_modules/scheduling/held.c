// SPDX-License-Identifier: GPL-2.0
/*
 * Items that hold their workers, and others that have to run nevertheless. However many hold
 * a worker, the items that they wait for must be able to run.
 *
 *	held-chain ITEMS	each waits for the completion of the next one
 *	held-lock ITEMS		all wait for a mutex that is held until one more has run
 *	held-cancel ITEMS ABORTABLE
 *				all are cancelled while each waits for an item; a cancelled
 *				waiter holds no worker either
 *	held-poll ITEMS		all compute until one more has run
 *	held-retire ITEMS	there are few workers again when items no longer hold them
 *	held-dies ITEMS HOW	their workers die, see deaths[]: waiters are told, and other
 *				items run. For a machine that survives an oops: vm-oops.sh
 *	held-dies-packed ITEMS	they die while they unpack an item, which is RUNNABLE then
 *	held-dies-called HOW	the same for a thread in costack_call(), see ends[]
 *	held-elsewhere ITEMS CPU
 *				items queued on a CPU where no worker runs, while others
 *				yield for ever: they do not wait for each other's turn
 *	held-thief CPU		a worker takes items from the queue of that CPU, where no
 *				worker runs, and the first of them holds it: it has told
 *				another worker of the others
 *	held-rcu-tasks HOW CALLED
 *				a grace period of Tasks RCU ends while coroutines go on
 *				and on: see endless[]
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <asm/msr.h>

#include "items.h"

static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool told;
static atomic_t nr_held;

/* All of them, also those that poll. */
static void tell(void)
{
	WRITE_ONCE(told, true);
	wake_up_all(&queue);
}

static struct cst_group *start(unsigned int nr, costack_fn_t fn, void *data)
{
	struct cst_group *group = cst_items_new(nr, false, fn, data, NULL);

	WRITE_ONCE(told, false);
	atomic_set(&nr_held, 0);
	if (group)
		cst_items_start(group);
	return group;
}

/* === Never idle === */

static atomic_long_t yields;

/* How many there were when the last item was queued, and when the last one ran. */
static long yields_queued, yields_ran;

static int yield_body(void *arg)
{
	while (!READ_ONCE(told) && !costack_yield())
		atomic_long_inc(&yields);
	return 0;
}

static int quick_body(void *arg)
{
	WRITE_ONCE(yields_ran, atomic_long_read(&yields));
	return 0;
}

static int start_quick(void *group)
{
	bool started = cst_items_start(group);

	yields_queued = atomic_long_read(&yields);
	return started ? 0 : -EINVAL;
}

/*
 * Two items keep the only worker busy. Every so many of their yields it looks at the queue of
 * another CPU, and it must not take a single item then.
 */
static void held_elsewhere(const long *args)
{
	struct cst_group *quick = cst_items_new(args[0], false, quick_body, NULL, NULL);
	struct cst_group *busy;

	atomic_long_set(&yields, 0);
	busy = start(2, yield_body, NULL);
	if (busy && quick && CST_SOON(atomic_long_read(&yields) > 1000)) {
		CST_EQ(0, cst_thread_run(args[1], start_quick, quick));
		CST_FINISH(quick, 0);
		CST_TRUE(yields_ran - yields_queued < 64 * args[0]);
	}
	tell();
	if (busy)
		CST_FINISH(busy, 0);
}

/* === Two that hand over, until they are told === */

/* One of them stands still while @to_pause is set, and @paused says so. */
static bool to_pause, paused;

static void pause_here(void)
{
	WRITE_ONCE(paused, true);
	while (READ_ONCE(to_pause))
		cst_relax();
	WRITE_ONCE(paused, false);
}

/* Others look at it meanwhile. */
static void count(struct cst_item *item)
{
	WRITE_ONCE(item->count, item->count + 1);
}

/* Two that unpark each other: they do not return to the host stack in between. */
static int hand_over(void *arg)
{
	struct cst_item *item = arg, *other = &item->group->item[!item->nr];

	WRITE_ONCE(item->co, costack_current());
	while (!READ_ONCE(other->co))
		CST_EQ(0, costack_yield());
	for (; !READ_ONCE(told); count(item)) {
		if (READ_ONCE(to_pause))
			pause_here();
		costack_unpark(other->co);
		CST_EQ(0, costack_park());
	}
	costack_unpark(other->co);
	/* The coroutine that is unparked must still exist. */
	atomic_inc(&nr_held);
	while (atomic_read(&nr_held) < 2)
		CST_EQ(0, costack_yield());
	return 42;
}

/* === Stolen === */

#define LOOT		4
#define THIEF_ROUNDS	5

/* How many of them have begun, and have been stolen; they are queued again. */
static atomic_t nr_begun, nr_stolen;
static bool queued;

/* Hold the worker until another one gets here as well. */
static void meet(atomic_t *nr)
{
	atomic_inc(nr);
	CST_SPIN(atomic_read(nr) > 1);
}

static int loot_body(void *arg)
{
	struct cst_item *item = arg;

	WRITE_ONCE(item->co, costack_current());
	/* So there are two kworkers, and none has to be made later. */
	meet(&nr_begun);
	CST_EQ(0, costack_park());
	meet(&nr_stolen);
	return 42;
}

static int start_here(void *group)
{
	return cst_items_start(group) ? 0 : -EINVAL;
}

/*
 * Queue them on this CPU. The watch runs here as well, as the pair was started from here: with
 * interrupts off it activates nobody. The deadline is for a thief that tells nobody, either.
 */
static int queue_loot(void *arg)
{
	struct cst_group *loot = arg;
	unsigned long flags;
	unsigned int i;
	u64 deadline;

	local_irq_save(flags);
	deadline = cst_deadline(60000);
	for (i = 0; i < loot->nr; i++)
		costack_unpark(READ_ONCE(loot->item[i].co));
	WRITE_ONCE(queued, true);
	while (atomic_read(&nr_stolen) < 2 && rdtsc_ordered() < deadline)
		cpu_relax();
	local_irq_restore(flags);
	/* The thief alone is one. */
	CST_EQ(2, min(atomic_read(&nr_stolen), 2));
	return 0;
}

/* One more worker may run, which nobody was told when they were queued. */
static int let_steal(void *unused)
{
	while (!READ_ONCE(queued))
		cst_relax();
	cst_knob("workers", "2");
	WRITE_ONCE(to_pause, false);
	return 0;
}

static void thief_round(int here, int there)
{
	struct cst_group *loot, *pair;
	struct cst_thread thread;

	cst_knob("workers", "2");
	WRITE_ONCE(told, false);
	WRITE_ONCE(queued, false);
	atomic_set(&nr_held, 0);
	atomic_set(&nr_begun, 0);
	atomic_set(&nr_stolen, 0);
	loot = cst_items_new(LOOT, false, loot_body, NULL, NULL);
	pair = cst_items_new(2, false, hand_over, NULL, NULL);
	if (!loot || !pair)
		return;
	cst_items_start(loot);
	/* Nobody rests, so the watch stops. */
	CST_SOON(cst_parked() == LOOT && cst_stat("runners") == 0);
	msleep(20);
	cst_knob("workers", "1");
	CST_EQ(0, cst_thread_run(there, start_here, pair));
	CST_SOON(READ_ONCE(pair->item[0].count) > 1000);
	WRITE_ONCE(to_pause, true);
	CST_SOON(READ_ONCE(paused));
	if (CST_EQ(0, cst_thread_start(&thread, here, let_steal, NULL))) {
		CST_EQ(0, cst_thread_run(there, queue_loot, loot));
		wait_for_completion(&thread.done);
	}
	CST_FINISH(loot, 42);
	tell();
	CST_FINISH(pair, 42);
}

static void held_thief(const long *args)
{
	unsigned int round;

	for (round = 0; round < THIEF_ROUNDS && !cst_failures(); round++)
		thief_round(0, args[0]);
}

/* === Asleep in the kernel === */

static int chain_body(void *arg)
{
	struct cst_item *item = arg;
	struct completion *done = item->group->data;

	if (item->nr + 1 < item->group->nr)
		CST_EQ(0, cst_hold_until(&done[item->nr + 1]));
	complete(&done[item->nr]);
	return 42;
}

static void held_chain(const long *args)
{
	struct completion *done = kvcalloc(args[0], sizeof(*done), GFP_KERNEL);
	struct cst_group *group;
	long i;

	if (!CST_TRUE(done))
		return;
	for (i = 0; i < args[0]; i++)
		init_completion(&done[i]);
	group = start(args[0], chain_body, done);
	/* Coroutines that hang still use it. */
	if (group && CST_FINISH(group, 42))
		kvfree(done);
}

static DEFINE_MUTEX(mutex);

static int lock_body(void *arg)
{
	atomic_inc(&nr_held);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	return 42;
}

static int tell_body(void *arg)
{
	tell();
	return 42;
}

/* What all of them wait for is that one more item runs. */
static void run_one_more(struct cst_group *group)
{
	struct cst_group *other = cst_items_new(1, false, tell_body, NULL, NULL);

	if (!other)
		return;
	CST_SOON(atomic_read(&nr_held) == group->nr);
	cst_items_start(other);
	CST_FINISH(other, 42);
}

static void held_lock(const long *args)
{
	struct cst_group *group;

	mutex_lock(&mutex);
	group = start(args[0], lock_body, NULL);
	if (group)
		run_one_more(group);
	mutex_unlock(&mutex);
	if (group)
		CST_FINISH(group, 42);
}

/* === Cancelled, and waiting for an item all the same === */

static int child_body(void *arg)
{
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(told)));
	return 43;
}

static int parent_body(void *arg)
{
	struct cst_item *item = arg;
	struct cst_group *children = item->group->data;

	CST_EQ(43, costack_wait(&children->item[item->nr].work));
	WRITE_ONCE(item->count, 1);
	/* Now it is heeded. */
	CST_EQ(-ECANCELED, costack_park());
	return 42;
}

static void held_cancel(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_ABORTABLE };
	struct cst_group *children, *parents;
	unsigned int i;

	children = start(args[0], child_body, NULL);
	parents = cst_items_new(args[0], false, parent_body, children,
				args[1] ? &attr : NULL);
	if (!children || !parents)
		return;
	cst_items_start(parents);
	CST_SOON(cst_parked() == 2 * args[0]);
	for (i = 0; i < parents->nr; i++)
		CST_EQ(0, costack_cancel(&parents->item[i].work));
	/* They have seen the cancel, and go on waiting without a worker. */
	CST_SOON(cst_stat("runners") == 0 && cst_parked() == 2 * args[0]);
	tell();
	/* In this order: the parents look at the children's items. */
	CST_FINISH(parents, 42);
	CST_FINISH(children, 43);
}

/* === Computing === */

static int poll_body(void *arg)
{
	unsigned long end = jiffies + CST_PATIENCE;

	atomic_inc(&nr_held);
	while (!READ_ONCE(told) && time_before(jiffies, end))
		cond_resched();
	return READ_ONCE(told) ? 42 : -ETIME;
}

static void held_poll(const long *args)
{
	struct cst_group *group = start(args[0], poll_body, NULL);

	if (!group)
		return;
	run_one_more(group);
	CST_FINISH(group, 42);
}

/* === Afterwards === */

static int retire_body(void *arg)
{
	struct cst_item *item = arg;

	atomic_inc(&nr_held);
	CST_EQ(0, cst_hold_until(item->group->data));
	while (!READ_ONCE(told) && CST_EQ(0, costack_yield()))
		;
	return 42;
}

static void held_retire(const long *args)
{
	static DECLARE_COMPLETION(done);
	struct cst_group *group;

	reinit_completion(&done);
	group = start(args[0], retire_body, &done);
	if (!group)
		return;
	CST_SOON(atomic_read(&nr_held) == args[0]);
	CST_TRUE(cst_stat("runners") >= args[0]);
	complete_all(&done);
	/* All are runnable all the time, which is no reason to keep workers. */
	CST_SOON(cst_stat("runners") < args[0] / 2);
	tell();
	CST_FINISH(group, 42);
}

/* === Dead === */

static int oops(void *unused)
{
	unsigned long nowhere = 8;

	OPTIMIZER_HIDE_VAR(nowhere);
	WRITE_ONCE(*(int *)nowhere, 1);
	return 0;
}

static int die_here(struct cst_item *item)
{
	return oops(NULL);
}

static int die_on_host(struct cst_item *item)
{
	return costack_on_host(oops, NULL);
}

/* The coroutine is on a wait queue, and stays there. */
static int die_in_condition(struct cst_item *item)
{
	return costack_wait_event(queue, oops(NULL));
}

static int next_body(void *arg)
{
	CST_EQ(0, costack_wait_event(queue, READ_ONCE(told)));
	return 42;
}

/* Others are to run next in that worker. */
static int die_with_next(struct cst_item *item)
{
	tell();
	return oops(NULL);
}

static int (* const deaths[])(struct cst_item *item) = {
	die_here, die_on_host, die_in_condition, die_with_next,
};

static int dying_body(void *arg)
{
	struct cst_item *item = arg;

	CST_EQ(0, costack_yield());
	return deaths[(long)item->group->data](item);
}

/* Items whose workers have died are like any others that have ended. */
static void use_again(struct cst_group *group)
{
	unsigned int i;

	for (i = 0; i < group->nr; i++) {
		CST_EQ(-EOWNERDEAD, group->item[i].ret);
		CST_EQ(-EINVAL, costack_cancel(&group->item[i].work));
		costack_work_init(&group->item[i].work, tell_body, NULL, NULL);
		CST_EQ(0, costack_queue(&group->item[i].work));
		CST_EQ(42, costack_wait(&group->item[i].work));
	}
	cst_items_free(group);
}

static void held_dies(const long *args)
{
	struct cst_group *others = cst_items_new(3, false, next_body, NULL, NULL);
	long died = cst_stat("workers_died");
	struct cst_group *group;

	if (!others)
		return;
	WRITE_ONCE(told, false);
	cst_items_start(others);
	CST_SOON(cst_parked() == 3);
	group = start(args[0], dying_body, (void *)args[1]);
	if (!group || !CST_JOIN(group))
		return;
	use_again(group);
	CST_FINISH(others, 42);
	CST_EQ(died + args[0], cst_stat("workers_died"));
	CST_SOON(cst_stat("runners") == 0);
}

/* Whoever is to unpack a coroutine dies. */
static int divert(struct kprobe *probe, struct pt_regs *regs)
{
	regs->ip = (unsigned long)oops;
	return 1;
}
NOKPROBE_SYMBOL(divert);

static void held_dies_packed(const long *args)
{
	static struct kprobe probe;
	struct cst_group *group = cst_items_new(args[0], false, next_body, NULL, NULL);
	long died = cst_stat("workers_died");
	bool ended;

	probe = (struct kprobe) {
		.symbol_name = "costack_unpack_slow", .pre_handler = divert,
	};
	WRITE_ONCE(told, false);
	if (!group)
		return;
	cst_items_start(group);
	CST_SOON(cst_stat("packed_now") == args[0]);
	if (!CST_EQ(0, register_kprobe(&probe)))
		return;
	tell();
	ended = CST_JOIN(group);
	unregister_kprobe(&probe);
	if (!ended)
		return;
	use_again(group);
	CST_EQ(died + args[0], cst_stat("workers_died"));
	CST_SOON(cst_stat("runners") == 0);
}

static int end_here(void *unused)
{
	kthread_complete_and_exit(NULL, 0);
}

static int oops_on_host(void *unused)
{
	return costack_on_host(oops, NULL);
}

static const costack_fn_t ends[] = { oops, end_here, oops_on_host };

static int calling_thread(void *fn)
{
	return costack_call(fn, NULL);
}

static void held_dies_called(const long *args)
{
	struct task_struct *task = kthread_create(calling_thread, ends[args[0]], "cst_dies");

	if (!CST_TRUE(!IS_ERR(task)))
		return;
	get_task_struct(task);
	wake_up_process(task);
	CST_SOON(READ_ONCE(task->exit_state));
	put_task_struct(task);
}

/* === Tasks RCU === */

static struct costack_chan *there, *back;

static int ping(void *arg)
{
	struct cst_item *item = arg;
	long value = 0;

	for (; !READ_ONCE(told); count(item)) {
		CST_EQ(0, costack_chan_send(there, &value));
		CST_EQ(0, costack_chan_recv(back, &value));
	}
	costack_chan_close(there);
	return 42;
}

static int pong(void *arg)
{
	long value;

	while (!costack_chan_recv(there, &value))
		CST_EQ(0, costack_chan_send(back, &value));
	return 42;
}

/* Two over channels. */
static int ping_pong(void *arg)
{
	struct cst_item *item = arg;

	return item->nr ? pong(arg) : ping(arg);
}

static int yield_on(void *arg)
{
	struct cst_item *item = arg;

	for (; !READ_ONCE(told); count(item))
		CST_EQ(0, costack_yield());
	return 42;
}

static int (* const endless[])(void *arg) = { ping_pong, hand_over, yield_on };

static int end_period(void *arg)
{
	synchronize_rcu_tasks();
	return 42;
}

static void held_rcu_tasks(const long *args)
{
	static struct cst_thread thread;
	struct cst_group *group;
	bool ended = false;

	there = costack_chan_create(sizeof(long), 0);
	back = costack_chan_create(sizeof(long), 0);
	/* A call yields, but does not hand over. */
	group = cst_items_new(2, args[1], endless[args[0]], NULL, NULL);
	if (!CST_TRUE(there && back) || !group)
		return;
	WRITE_ONCE(told, false);
	atomic_set(&nr_held, 0);
	cst_items_start(group);
	CST_SOON(READ_ONCE(group->item[0].count) > 1000);
	if (CST_EQ(0, cst_thread_start(&thread, CST_ANY_CPU, end_period, NULL)))
		ended = CST_TRUE(wait_for_completion_timeout(&thread.done, CST_PATIENCE));
	tell();
	CST_FINISH(group, 42);
	if (!ended)
		wait_for_completion(&thread.done);
	costack_chan_destroy(there);
	costack_chan_destroy(back);
}

static const struct cst_case cases[] = {
	{ "held-chain", held_chain },
	{ "held-elsewhere", held_elsewhere },
	{ "held-thief", held_thief },
	{ "held-lock", held_lock },
	{ "held-cancel", held_cancel },
	{ "held-poll", held_poll },
	{ "held-retire", held_retire },
	{ "held-dies", held_dies },
	{ "held-dies-packed", held_dies_packed },
	{ "held-dies-called", held_dies_called },
	{ "held-rcu-tasks", held_rcu_tasks },
	{ }
};

struct cst_suite cst_held = { .owner = THIS_MODULE, .cases = cases };
