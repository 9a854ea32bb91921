// SPDX-License-Identifier: GPL-2.0
/*
 * Very many parks and unparks: none is lost or counted twice, and all memory is freed.
 *
 *	storm PAIR TIMER IPI WORK CALLED
 *			so many rounds for each coroutine that is woken by another
 *			one, by a timer, from another CPU, or by irq_work; CALLED:
 *			all but the pairs by costack_call(). At least a million
 *			rounds in all are shown by storm-total.
 *	storm-hotplug PAIR TIMER IPI WORK
 *			the same while CPUs come and go
 *	storm-total ROUNDS
 *	parked ITEMS ROUNDS	all items are parked at the same time
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "free_pages.h"
#include "items.h"

/* === One that is woken, and who wakes it === */

/**
 * struct cell - a coroutine, and events for it
 * @co: the coroutine
 * @posted: events that it has not taken yet
 * @posts: events in all
 * @taken: events that it has taken
 * @parks: times it was parked for one
 * @calls: those of them that did not come from an interrupt
 * @cpus: times that it went on, by whether the number of the CPU is odd
 * @rounds: events to wait for
 * @peer: a cell that it posts to
 * @timer: posts to it
 * @csd: the same, on CPU @target
 * @work: the same
 * @target: another CPU
 * @random: where its delays come from
 * @ended: posts no more
 */
struct cell {
	struct costack		*co;
	atomic_t		posted;
	atomic_long_t		posts;
	long			taken;
	long			parks;
	long			calls;
	long			cpus[2];
	long			rounds;
	struct cell		*peer;
	struct hrtimer		timer;
	call_single_data_t	csd;
	struct irq_work		work;
	int			target;
	struct rnd_state	random;
	bool			ended;
};

static atomic_long_t total;

static void post(struct cell *cell)
{
	atomic_long_inc(&cell->posts);
	atomic_inc(&cell->posted);
	costack_unpark(READ_ONCE(cell->co));
}

static enum hrtimer_restart timer_posts(struct hrtimer *timer)
{
	CST_TRUE(in_hardirq());
	post(container_of(timer, struct cell, timer));
	return HRTIMER_NORESTART;
}

/* On its own CPU this is a plain call with interrupts off. */
static void ipi_posts(void *arg)
{
	struct cell *cell = arg;

	CST_TRUE(irqs_disabled());
	cell->calls += !in_hardirq();
	post(cell);
}

/* A CPU that goes offline calls the pending functions with interrupts off. */
static void work_posts(struct irq_work *work)
{
	struct cell *cell = container_of(work, struct cell, work);

	CST_TRUE(irqs_disabled());
	cell->calls += !in_hardirq();
	post(cell);
}

/* Now and then a moment, so that the event comes before, in, or after the park. */
static void dawdle(struct cell *cell)
{
	u32 n = prandom_u32_state(&cell->random) % 64;

	if (n < 32)
		cst_spin_usecs(n / 4);
}

/*
 * Wait for the one event that is on its way. Each is a permit: it is an error to see none
 * after a park, or two at once.
 */
static void take(struct cell *cell)
{
	int n;

	while (!(n = atomic_xchg(&cell->posted, 0))) {
		if (!CST_EQ(0, costack_park()))
			return;
		cell->parks++;
	}
	CST_EQ(1, n);
	cell->taken += n;
	cell->cpus[cst_cpu() % 2]++;
}

static int by_timer(void *arg)
{
	struct cst_item *item = arg;
	struct cell *cell = (struct cell *)item->group->data + item->nr;

	WRITE_ONCE(cell->co, costack_current());
	for (; item->count < cell->rounds; item->count++) {
		hrtimer_start(&cell->timer, ns_to_ktime(prandom_u32_state(&cell->random) % 8192),
			      HRTIMER_MODE_REL_HARD);
		dawdle(cell);
		take(cell);
	}
	/* Its handler may still be in the unpark; so may those below. */
	hrtimer_cancel(&cell->timer);
	return 42;
}

static void nothing(void *unused)
{
}

/*
 * Send to @cpu, or if it is offline to one that is online. The handler of one CPU has ended
 * before the next CPU is used, also if its CPU went offline.
 */
static int send_ipi(struct cell *cell, int cpu)
{
	int target, err;

	do {
		target = cpu_online(cpu) ? cpu : cpumask_first(cpu_online_mask);
		if (target != cell->target)
			smp_call_function_single(cell->target, nothing, NULL, 1);
		cell->target = target;
		err = smp_call_function_single_async(target, &cell->csd);
	} while (err == -ENXIO);
	return err;
}

static int by_ipi(void *arg)
{
	struct cst_item *item = arg;
	struct cell *cell = (struct cell *)item->group->data + item->nr;

	WRITE_ONCE(cell->co, costack_current());
	for (; item->count < cell->rounds; item->count++) {
		/* The coroutine migrates, so it is unknown which CPU the event comes from. */
		CST_EQ(0, send_ipi(cell, (item->count / 16) % num_present_cpus()));
		dawdle(cell);
		take(cell);
	}
	smp_call_function_single(cell->target, nothing, NULL, 1);
	return 42;
}

static int by_work(void *arg)
{
	struct cst_item *item = arg;
	struct cell *cell = (struct cell *)item->group->data + item->nr;

	WRITE_ONCE(cell->co, costack_current());
	for (; item->count < cell->rounds; item->count++) {
		/* It is busy until its handler has returned. */
		CST_SPIN(irq_work_queue(&cell->work));
		dawdle(cell);
		take(cell);
	}
	irq_work_sync(&cell->work);
	return 42;
}

/* Two post to each other. The even one begins. */
static int by_peer(void *arg)
{
	struct cst_item *item = arg;
	struct cell *cell = (struct cell *)item->group->data + item->nr;

	WRITE_ONCE(cell->co, costack_current());
	while (!READ_ONCE(cell->peer->co) && CST_EQ(0, costack_yield()))
		;
	if (item->nr % 2 == 0)
		post(cell->peer);
	for (; item->count < cell->rounds; item->count++) {
		take(cell);
		if (item->count % 64 == 0)
			dawdle(cell);
		if (item->nr % 2 || item->count < cell->rounds - 1)
			post(cell->peer);
	}
	smp_store_release(&cell->ended, true); /* pairs with the acquire of the peer */
	while (!smp_load_acquire(&cell->peer->ended) && CST_EQ(0, costack_yield()))
		; /* it may still be in its last unpark */
	return 42;
}

/* === Storm === */

/**
 * struct source - what wakes the coroutines
 * @fn: runs as @nr coroutines
 * @nr: an even number for by_peer()
 */
struct source {
	costack_fn_t	fn;
	unsigned int	nr;
};

static const struct source sources[] = {
	{ by_peer, 16 },
	{ by_timer, 8 },
	{ by_ipi, 4 },
	{ by_work, 4 },
};

#define SOURCES	ARRAY_SIZE(sources)

static struct cell *make_cells(const struct source *source, long rounds)
{
	struct cell *cells = kcalloc(source->nr, sizeof(*cells), GFP_KERNEL);
	unsigned int i;

	if (!CST_TRUE(cells))
		return NULL;
	for (i = 0; i < source->nr; i++) {
		struct cell *cell = &cells[i];

		cell->rounds = rounds;
		cell->peer = &cells[i ^ 1];
		costack_hrtimer_setup(&cell->timer, timer_posts, CLOCK_MONOTONIC,
				      HRTIMER_MODE_REL_HARD);
		INIT_CSD(&cell->csd, ipi_posts, cell);
		/* In the interrupt itself on a real-time kernel, too. */
		cell->work = IRQ_WORK_INIT_HARD(work_posts);
		prandom_seed_state(&cell->random, 4711 + i);
	}
	return cells;
}

/*
 * Check that all events that were posted were taken. @two_cpus: two CPUs are online all the
 * time, so that interrupts come from the other one.
 */
static void check_cells(const struct source *source, const struct cell *cells, long *cpus,
			long *parks, bool two_cpus)
{
	unsigned int i;

	for (i = 0; i < source->nr; i++) {
		const struct cell *cell = &cells[i];

		CST_EQ(cell->rounds, cell->taken);
		CST_EQ(cell->taken, atomic_long_read(&cell->posts));
		CST_EQ(0, atomic_read(&cell->posted));
		CST_TRUE(!two_cpus || cell->calls < cell->rounds);
		cpus[0] += cell->cpus[0];
		cpus[1] += cell->cpus[1];
		*parks += cell->parks;
		atomic_long_add(cell->taken, &total);
	}
}

static void storm(const long *args, bool called, bool hotplug)
{
	struct cst_group *groups[SOURCES];
	struct cell *cells[SOURCES];
	const bool two_cpus = !hotplug && num_online_cpus() > 1;
	long cpus[2] = { }, parks = 0;
	unsigned int i;

	for (i = 0; i < SOURCES; i++) {
		cells[i] = make_cells(&sources[i], args[i]);
		groups[i] = cst_items_new(sources[i].nr, called, sources[i].fn, cells[i], NULL);
		if (!cells[i] || !groups[i])
			return;
	}
	for (i = 0; i < SOURCES; i++)
		cst_items_start(groups[i]);
	for (i = 0; i < SOURCES; i++) {
		/* Coroutines that hang still use it. */
		if (!CST_FINISH(groups[i], 42))
			continue;
		check_cells(&sources[i], cells[i], cpus, &parks, two_cpus);
		kfree(cells[i]);
	}
	/* It really parked, on both CPUs, and the event was not always there already. */
	CST_TRUE(parks > args[0] * sources[0].nr / 2);
	if (!two_cpus)
		return;
	CST_TRUE(cpus[0] > 0);
	CST_TRUE(cpus[1] > 0);
}

static void storm_items(const long *args)
{
	storm(args, false, false);
}

static void storm_called(const long *args)
{
	storm(args, true, false);
}

static void storm_hotplug(const long *args)
{
	storm(args, false, true);
}

static void storm_total(const long *args)
{
	CST_TRUE(atomic_long_read(&total) >= args[0]);
	atomic_long_set(&total, 0);
}

/* === Very many at once === */

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;
static atomic_t nr_resumed;

/* Half of them wait in a queue, half for an unpark of their own. */
static int parked_body(void *arg)
{
	struct cst_item *item = arg;

	if (item->nr % 2) {
		CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	} else {
		WRITE_ONCE(item->co, costack_current());
		CST_EQ(0, costack_park());
		/* The unpark may not have returned yet. */
		CST_EQ(0, costack_wait_event(gate, READ_ONCE(gate_is_open)));
	}
	atomic_inc(&nr_resumed);
	return 42;
}

static long count_kworkers(void)
{
	struct task_struct *task;
	long n = 0;

	rcu_read_lock();
	for_each_process(task)
		n += !!(task->flags & PF_WQ_WORKER);
	rcu_read_unlock();
	return n;
}

static void wake_all(struct cst_group *group)
{
	unsigned int i;

	for (i = 0; i < group->nr; i += 2)
		costack_unpark(group->item[i].co);
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
}

static void park_all(long nr)
{
	struct cst_group *group = cst_items_new(nr, false, parked_body, NULL, NULL);
	long kworkers = count_kworkers();

	if (!group)
		return;
	WRITE_ONCE(gate_is_open, false);
	atomic_set(&nr_resumed, 0);
	cst_items_start(group);
	CST_SOON(cst_parked() == nr);
	CST_EQ(nr, cst_stat("live"));
	CST_EQ(0, atomic_read(&nr_resumed));
	/* None of them holds a thread, and few threads were made for all of them. */
	CST_SOON(cst_stat("runners") == 0);
	CST_TRUE(count_kworkers() - kworkers <= 64);
	wake_all(group);
	if (CST_FINISH(group, 42))
		CST_EQ(nr, atomic_read(&nr_resumed));
	CST_SOON(cst_stat("live") == 0);
}

/*
 * How many pages may stay in use. The pool keeps for each of five classes 256 pages for
 * all, and 16 for each CPU; each CPU keeps a reserve of 16 pages and of a stack of
 * each class above the first, and up to 16 coroutines (8, and a batch of 8 before it frees
 * them). Address space stays too: 64 slots at a time, with a page table for 2 MiB and some
 * 8 KiB to describe them.
 */
static long may_stay(long nr)
{
	long cpus = num_online_cpus();
	long pool = 5 * 256 + cpus * (5 * 16 + 16 + 2 + 4 + 8 + 16 + 16);
	long space = DIV_ROUND_UP(nr, 64) * (5 + 3);

	return pool + space;
}

/* The stacks that exist are no more than the pool may keep, in each class. */
static bool few_stacks(void)
{
	static const char * const names[] = {
		"stacks_4k", "stacks_8k", "stacks_16k", "stacks_32k", "stacks_64k"
	};
	long cpus = num_possible_cpus();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		/*
		 * The shared list, that of each CPU, its reserve, and its idle coroutines, which
		 * have stacks of the class that the knob stack_min names.
		 */
		long keep = (256 >> i) + cpus * (max(16 >> i, 1) + 1 + 16);

		if (cst_stat(names[i]) > keep)
			return false;
	}
	return true;
}

/* For slabs with free objects, and for what else the machine does. */
#define NOISE	256

static void parked(const long *args)
{
	long before = cst_free_pages(), first = 0, least, round;

	for (round = 0; round < args[1]; round++) {
		park_all(args[0]);
		CST_SOON(few_stacks());
		/* Free memory tells nothing there, see functions.sh; kmemleak is used. */
		if (IS_ENABLED(CONFIG_KASAN))
			continue;
		if (!round) {
			least = before - may_stay(args[0]) - NOISE;
			CST_SOON(cst_free_pages() >= least);
			first = cst_free_pages();
		} else {
			/* With 20,000 items, a leak of 64 bytes each would be more than that. */
			least = first - max(args[0] * 64 / (long)PAGE_SIZE, (long)NOISE);
			CST_SOON(cst_free_pages() >= least);
		}
		pr_info("costack_test: round %ld: free %ld of %ld pages, at first %ld\n", round,
			cst_free_pages(), before, first);
	}
}

static const struct cst_case cases[] = {
	{ "storm", storm_items },
	{ "storm-called", storm_called },
	{ "storm-hotplug", storm_hotplug },
	{ "storm-total", storm_total },
	{ "parked", parked },
	{ }
};

struct cst_suite cst_storms = { .owner = THIS_MODULE, .cases = cases };
