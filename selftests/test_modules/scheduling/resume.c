// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs a coroutine: other workers and CPUs, in turn, and nobody starves.
 *
 *	migrate ITEMS ROUNDS	frames with a stack protector, in other threads than the one
 *				that made them
 *	hand-over ROUNDS	two that wake each other stay in one worker
 *	interrupted HOW		what an interrupt wakes, see interrupts[], does not wait for
 *				the coroutine that was interrupted
 *	hold-sleep, hold-mutex, hold-compute
 *				a worker that is held up holds nobody else up
 *	hold-all		the same with more workers than the knob allows
 *	fair-yield ITEMS ROUNDS	with one worker, all make progress
 *	fair-hand-over		two that wake each other, and a third
 *
 * Some are for one worker: see test-resume.sh.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "items.h"

#if !IS_ENABLED(CONFIG_STACKPROTECTOR_STRONG)
#error "migrate shows nothing without the stack protector"
#endif

/* === Other workers === */

/**
 * struct moves - how often coroutines came back elsewhere
 * @rounds: for each to do, at least
 * @least: moves of both kinds to be seen
 * @end: when to give that up, in jiffies
 * @threads: in another thread
 * @cpus: on another CPU
 * @held: a coroutine keeps its CPU
 * @bad: what lay on the stack was not as it had been
 */
struct moves {
	long		rounds;
	int		least;
	unsigned long	end;
	atomic_t	threads;
	atomic_t	cpus;
	atomic_t	held;
	atomic_t	bad;
};

static bool few(struct moves *moves)
{
	return atomic_read(&moves->threads) < moves->least ||
	       atomic_read(&moves->cpus) < moves->least;
}

static noinline void fill(char *room, size_t bytes, char what)
{
	memset(room, what, bytes);
	barrier_data(room);
}

/*
 * A CPU helps another one only if it has nothing to do, and two that have enough each would keep
 * what they have: so one coroutine keeps its CPU until the other CPU has taken what waits there.
 * That has nothing to take if all the others are its own.
 */
static void keep_cpu(struct moves *moves)
{
	unsigned long end = jiffies + HZ / 2;
	int cpus = atomic_read(&moves->cpus);

	if (atomic_cmpxchg(&moves->held, 0, 1))
		return;
	while (atomic_read(&moves->cpus) == cpus && time_before(jiffies, end))
		cpu_relax();
	atomic_set(&moves->held, 0);
}

/* Let others run; the odd ones leave the thread for longer. */
static noinline int leave(const struct cst_item *item)
{
	if (few(item->group->data) && item->count % 32 == item->nr % 32)
		keep_cpu(item->group->data);
	if (item->count % 8 == item->nr % 8)
		return costack_sleep(1);
	return costack_yield();
}

/*
 * The compiler puts a canary into each frame with such an array. All of them lie
 * on the stack while the coroutine is away, and each is checked when its function returns.
 */
static noinline int guarded(struct cst_item *item, int depth)
{
	struct moves *moves = item->group->data;
	pid_t pid = cst_pid();
	int cpu = cst_cpu(), err;
	char room[64];

	fill(room, sizeof(room), item->nr + depth);
	if (depth)
		err = guarded(item, depth - 1);
	else
		err = leave(item);
	if (!depth) {
		atomic_add(pid != cst_pid(), &moves->threads);
		atomic_add(cpu != cst_cpu(), &moves->cpus);
	}
	barrier_data(room);
	atomic_add(!!memchr_inv(room, (char)(item->nr + depth), sizeof(room)), &moves->bad);
	return err;
}

static int migrate_body(void *arg)
{
	struct cst_item *item = arg;
	struct moves *moves = item->group->data;

	for (; item->count < moves->rounds || (few(moves) && time_before(jiffies, moves->end));
	     item->count++)
		CST_EQ(0, guarded(item, 4));
	return 42;
}

static void migrate(const long *args)
{
	struct cst_group *group;
	struct moves *moves;
	int here, there;

	if (!cst_two_cpus(&here, &there))
		return;
	moves = kzalloc(sizeof(*moves), GFP_KERNEL);
	group = cst_items_new(args[0], false, migrate_body, moves, NULL);
	if (!CST_TRUE(moves) || !group)
		return;
	moves->rounds = args[1];
	moves->least = args[0] * args[1] / 100;
	moves->end = jiffies + CST_PATIENCE / 2;
	cst_items_start(group);
	if (!CST_FINISH(group, 42))
		return;
	CST_TRUE(!few(moves));
	CST_EQ(0, atomic_read(&moves->bad));
	kfree(moves);
}

/* === Hand-over === */

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static void wait_at_gate(void)
{
	CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
}

/**
 * struct pair - two that wake each other
 * @co: they
 * @turn: whose turn it is
 * @rounds: for each
 * @strangers: how often the thread was another one than in the turn before, once they had the
 *	time to come together
 * @last: thread of the last turn
 * @since: turns since a third one ran, for fair-hand-over
 */
struct pair {
	struct costack	*co[2];
	int		turn;
	long		rounds;
	long		strangers;
	pid_t		last;
	long		since;
};

/* Turns of each, in which they come together. */
#define FIRST_TURNS	100

static struct pair pair;
static atomic_t pair_ended;

static bool my_turn(int me)
{
	return READ_ONCE(pair.turn) == me;
}

/* One of them runs at a time, so that nothing here has to be locked. */
static int pair_body(void *arg)
{
	struct cst_item *item = arg;
	int me = item->nr;

	WRITE_ONCE(pair.co[me], costack_current());
	wait_at_gate();
	for (; item->count < pair.rounds; item->count++) {
		while (!my_turn(me) && CST_EQ(0, costack_park()))
			;
		pair.strangers += item->count >= FIRST_TURNS && pair.last != cst_pid();
		pair.last = cst_pid();
		pair.since++;
		WRITE_ONCE(pair.turn, !me);
		costack_unpark(pair.co[!me]);
	}
	/* Not before the other one is through with its unpark. */
	atomic_inc(&pair_ended);
	while (atomic_read(&pair_ended) < 2 && CST_EQ(0, costack_yield()))
		;
	return 42;
}

static struct cst_group *start_pair(long rounds)
{
	struct cst_group *group = cst_items_new(2, false, pair_body, NULL, NULL);

	if (!group)
		return NULL;
	pair = (struct pair) { .rounds = rounds };
	atomic_set(&pair_ended, 0);
	WRITE_ONCE(gate_is_open, false);
	cst_items_start(group);
	CST_SOON(cst_parked() == 2);
	return group;
}

static void open_gate(void)
{
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
}

static void hand_over(const long *args)
{
	long retaken = cst_stat("retaken");
	struct cst_group *group = start_pair(args[0]);

	if (!group)
		return;
	open_gate();
	if (!CST_FINISH(group, 42))
		return;
	/*
	 * They stay together. If a CPU stood still for a tick in the middle of a turn, the watch
	 * has moved one of them to another worker: mostly two more.
	 */
	CST_TRUE(pair.strangers <= 2 + 4 * (cst_stat("retaken") - retaken));
}

/* === Interrupted === */

static struct costack *sleeper;

static void wake_sleeper(void)
{
	costack_unpark(READ_ONCE(sleeper));
}

static void wake_by_irq(struct irq_work *unused)
{
	wake_sleeper();
}

static void by_irq(void)
{
	static DEFINE_IRQ_WORK(work, wake_by_irq);

	irq_work_queue(&work);
	CST_SPIN(!irq_work_is_busy(&work));
}

static void wake_by_softirq(struct tasklet_struct *unused)
{
	wake_sleeper();
}

static DECLARE_TASKLET(waker, wake_by_softirq);

/* The softirq comes where they are enabled again, on a kernel with PREEMPT_RT on this stack. */
static void by_softirq(void)
{
	local_bh_disable();
	tasklet_schedule(&waker);
	local_bh_enable();
}

/* To the kernel this is the same. */
static void with_softirqs_off(void)
{
	local_bh_disable();
	wake_sleeper();
	local_bh_enable();
}

static void (* const interrupts[])(void) = { by_irq, by_softirq, with_softirqs_off };

static int sleeper_body(void *arg)
{
	struct cst_item *item = arg;

	WRITE_ONCE(sleeper, costack_current());
	CST_EQ(0, costack_park());
	WRITE_ONCE(item->count, 1);
	return 42;
}

/* If the sleeper were next in this worker, only the watch could take it from there. */
static int interrupted_body(void *arg)
{
	struct cst_item *item = arg;
	struct cst_group *sleepers = item->group->data;

	interrupts[item->count]();
	CST_SPIN(READ_ONCE(sleepers->item[0].count));
	return 42;
}

static void interrupted(const long *args)
{
	long retaken = cst_stat("retaken");
	struct cst_group *group, *sleepers;
	unsigned int round;

	for (round = 0; round < 20 && !cst_failures(); round++) {
		sleepers = cst_items_new(1, false, sleeper_body, NULL, NULL);
		group = cst_items_new(1, false, interrupted_body, sleepers, NULL);
		if (!sleepers || !group)
			return;
		group->item[0].count = args[0];
		cst_items_start(sleepers);
		CST_SOON(cst_parked() == 1);
		cst_items_start(group);
		CST_FINISH(group, 42);
		CST_FINISH(sleepers, 42);
	}
	CST_EQ(retaken, cst_stat("retaken"));
	tasklet_kill(&waker);
}

/* === Held up === */

static DEFINE_MUTEX(mutex);
static atomic_t others_ran;
static bool holds;

#define OTHERS	3

static int other_body(void *arg)
{
	wait_at_gate();
	atomic_inc(&others_ran);
	return 42;
}

static bool others_have_run(void)
{
	return atomic_read(&others_ran) == OTHERS;
}

/* The one that it wakes last is next in its worker, the others in the queue. */
static void wake_others(void)
{
	open_gate();
	WRITE_ONCE(holds, true);
}

static int hold_sleep_body(void *arg)
{
	unsigned long end = jiffies + CST_PATIENCE;

	wake_others();
	while (!others_have_run() && time_before(jiffies, end))
		msleep(20);
	CST_TRUE(others_have_run());
	return 42;
}

static int hold_mutex_body(void *arg)
{
	wake_others();
	mutex_lock(&mutex);
	CST_TRUE(others_have_run());
	mutex_unlock(&mutex);
	return 42;
}

static void nothing(struct tasklet_struct *unused)
{
}

static DECLARE_TASKLET(tasklet, nothing);

static int hold_compute_body(void *arg)
{
	/* Less than what the kernel calls a lockup. */
	unsigned long end = jiffies + CST_PATIENCE / 2;

	/* From here on this CPU's softirqs wait for ksoftirqd, which waits for this thread. */
	tasklet_schedule(&tasklet);
	wake_others();
	while (!others_have_run() && time_before(jiffies, end))
		cst_spin_usecs(100);
	CST_TRUE(others_have_run());
	return 42;
}

static void hold(costack_fn_t fn)
{
	struct cst_group *holder = cst_items_new(1, false, fn, NULL, NULL);
	struct cst_group *others = cst_items_new(OTHERS, false, other_body, NULL, NULL);

	if (!holder || !others)
		return;
	atomic_set(&others_ran, 0);
	WRITE_ONCE(holds, false);
	WRITE_ONCE(gate_is_open, false);
	cst_items_start(others);
	CST_SOON(cst_parked() == OTHERS);
	mutex_lock(&mutex);
	cst_items_start(holder);
	CST_SOON(READ_ONCE(holds));
	CST_SOON(others_have_run());
	mutex_unlock(&mutex);
	CST_FINISH(holder, 42);
	CST_FINISH(others, 42);
}

static void hold_sleep(const long *args)
{
	hold(hold_sleep_body);
}

static void hold_mutex(const long *args)
{
	hold(hold_mutex_body);
}

static void hold_compute(const long *args)
{
	int here, there;

	/* Who computes has its CPU for itself. */
	if (!cst_two_cpus(&here, &there))
		return;
	hold(hold_compute_body);
	tasklet_kill(&tasklet);
}

/* More than the knob allows. */
#define MANY	70

static atomic_t nr_held;

static int hold_all_body(void *arg)
{
	struct cst_item *item = arg;

	atomic_inc(&nr_held);
	return cst_hold_until(item->group->data) ?: 42;
}

static void hold_all(const long *args)
{
	static DECLARE_COMPLETION(done);
	struct cst_group *group = cst_items_new(MANY, false, hold_all_body, &done, NULL);

	if (!group)
		return;
	reinit_completion(&done);
	atomic_set(&nr_held, 0);
	cst_items_start(group);
	CST_SOON(atomic_read(&nr_held) == MANY);
	CST_TRUE(cst_stat("runners") >= MANY);
	complete_all(&done);
	CST_FINISH(group, 42);
	CST_SOON(cst_stat("runners") == 0);
}

/* === In turn === */

/* One coroutine may be so many rounds ahead of another. */
#define APART		8
#define FAIR_MAX	8

/* Threads in which they had their last turn, and the CPUs. */
static pid_t last_pid[FAIR_MAX];
static int last_cpu[FAIR_MAX];
static atomic_t nr_looks, nr_apart;

/*
 * If the worker is held up, as on an emulated CPU that stands still, another one helps it:
 * then the coroutines are in two threads, and one falls behind. If the worker moves to another
 * CPU, it leaves some of them in a run queue there, and takes them out later.
 */
static bool all_in_this_thread(const struct cst_group *group)
{
	unsigned int i;

	for (i = 0; i < group->nr; i++)
		if (READ_ONCE(last_pid[i]) != cst_pid() || READ_ONCE(last_cpu[i]) != cst_cpu())
			return false;
	return true;
}

/* As long as there is but one worker, on one CPU, all have as many turns. */
static int fair_body(void *arg)
{
	struct cst_item *item = arg;
	const struct cst_group *group = item->group;
	const long rounds = *(const long *)group->data;
	long since[FAIR_MAX];
	bool together = false;
	unsigned int i;
	long apart;

	wait_at_gate();
	while (READ_ONCE(item->count) < rounds && !cst_failures()) {
		WRITE_ONCE(last_pid[item->nr], cst_pid());
		WRITE_ONCE(last_cpu[item->nr], cst_cpu());
		WRITE_ONCE(item->count, item->count + 1);
		CST_EQ(0, costack_yield());
		/* While all are at it. */
		if (item->count < rounds / 8 || item->count > rounds - rounds / 8 ||
		    !all_in_this_thread(group)) {
			together = false;
			continue;
		}
		for (i = 0; i < group->nr; i++) {
			apart = READ_ONCE(group->item[i].count) - item->count;
			if (!together)
				since[i] = apart;
			atomic_inc(&nr_looks);
			atomic_add(abs(apart - since[i]) > APART, &nr_apart);
		}
		together = true;
	}
	return 42;
}

static void fair_yield(const long *args)
{
	struct cst_group *group;

	if (!CST_TRUE(args[0] <= FAIR_MAX))
		return;
	group = cst_items_new(args[0], false, fair_body, (void *)&args[1], NULL);
	if (!group)
		return;
	memset(last_pid, 0, sizeof(last_pid));
	atomic_set(&nr_looks, 0);
	atomic_set(&nr_apart, 0);
	WRITE_ONCE(gate_is_open, false);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	open_gate();
	CST_FINISH(group, 42);
	CST_TRUE(atomic_read(&nr_looks));
	/* The other worker may be on its way. */
	CST_TRUE(atomic_read(&nr_apart) <= atomic_read(&nr_looks) / 100);
}

#define THIRD_ROUNDS	100
/* Every 64 switches a runner looks at the queues, in turns first at its own or another one. */
#define LAG_MAX		200

/*
 * Yield in the worker that the two are in, and see how many turns they have had.
 * -1: the yield was in another worker. A worker that is held up, as on an emulated CPU that
 * stands still, gets help from another one, which has nothing left to do after a sleep.
 */
static noinline long yield_beside_them(void)
{
	pid_t pid = cst_pid();

	WRITE_ONCE(pair.since, 0);
	CST_EQ(0, costack_yield());
	if (pid == cst_pid() && pid == READ_ONCE(pair.last))
		return READ_ONCE(pair.since);
	CST_EQ(0, costack_sleep(1));
	return -1;
}

static int third_body(void *arg)
{
	struct cst_item *item = arg;
	unsigned long end = jiffies + CST_PATIENCE;
	long turns;

	wait_at_gate();
	while (item->count < THIRD_ROUNDS && time_before(jiffies, end) && !cst_failures()) {
		turns = yield_beside_them();
		CST_TRUE(turns <= LAG_MAX);
		item->count += turns > 0;
	}
	CST_EQ(THIRD_ROUNDS, item->count);
	/* Let them end. */
	WRITE_ONCE(pair.rounds, 0);
	return 42;
}

/*
 * The third always waits in the queue, the two are always next. A held-up worker
 * would hand it to another one after a tick, which is thousands of turns.
 */
static void fair_hand_over(const long *args)
{
	struct cst_group *group = start_pair(LONG_MAX);
	struct cst_group *third = cst_items_new(1, false, third_body, NULL, NULL);

	if (!group || !third)
		return;
	cst_items_start(third);
	CST_SOON(cst_parked() == 3);
	open_gate();
	CST_FINISH(third, 42);
	CST_FINISH(group, 42);
}

static const struct cst_case cases[] = {
	{ "migrate", migrate },
	{ "hand-over", hand_over },
	{ "interrupted", interrupted },
	{ "hold-sleep", hold_sleep },
	{ "hold-mutex", hold_mutex },
	{ "hold-compute", hold_compute },
	{ "hold-all", hold_all },
	{ "fair-yield", fair_yield },
	{ "fair-hand-over", fair_hand_over },
	{ }
};

struct cst_suite cst_resume = { .owner = THIS_MODULE, .cases = cases };
