// SPDX-License-Identifier: GPL-2.0
/*
 * Packed at any moment, and woken at any moment.
 *
 *	pack-storm ITEMS ROUNDS CANCEL	the items park ROUNDS times in all, and a timer's
 *					interrupt wakes them after a random time. Half of
 *					them are packed at each park, and whichever waits
 *					when a thread writes to the file pack. With CANCEL,
 *					each third one is cancelled half way, and the others
 *					do its rounds
 *
 * Each wake-up is accounted for: a timer that is set fires once or is taken back, and an item
 * that has parked has been woken exactly as often as it has set its timer.
 */
#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "figures.h"
#include "items.h"
#include "kept.h"

/**
 * struct napper - what wakes an item
 * @timer: wakes it
 * @co: whom
 * @set: how often the item has set the timer
 * @fired: how often the timer has woken it
 * @taken_back: how often the timer was set when the item ended: once, if it was cancelled
 */
struct napper {
	struct hrtimer	timer;
	struct costack	*co;
	long		set;
	long		fired;
	long		taken_back;
};

/**
 * struct storm - what the items of a case share
 * @rounds: how many there are to be
 * @begun: how many have begun; grows beyond @rounds by one for each item that ends
 * @packer: writes to the file pack
 * @packed: the counter of packs when it began
 * @few: fewer than a third of the rounds so far were packed; the thread that packs writes it
 * @over: it is to end
 * @cancels: each third item is cancelled, and does not end before
 * @napper: one for each item
 */
struct storm {
	long			rounds;
	atomic_long_t		begun;
	struct cst_thread	packer;
	long			packed;
	bool			few;
	bool			over;
	bool			cancels;
	struct napper		napper[];
};

static DECLARE_WAIT_QUEUE_HEAD(never);

static bool is_third(const struct storm *storm, unsigned int nr)
{
	return storm->cancels && nr % 3 == 0;
}

static enum hrtimer_restart wake(struct hrtimer *timer)
{
	struct napper *napper = container_of(timer, struct napper, timer);

	WRITE_ONCE(napper->fired, napper->fired + 1);
	costack_unpark(napper->co);
	return HRTIMER_NORESTART;
}

/* From a nanosecond to two milliseconds, each magnitude as often as any other. */
static unsigned int random_ns(struct rnd_state *random)
{
	u32 bits = prandom_u32_state(random);

	return bits & (BIT((bits >> 27) % 22) - 1);
}

/* On a slow machine most timers go off before the item has parked: then let it be packed first. */
static ktime_t nap(const struct storm *storm, struct rnd_state *random)
{
	return ns_to_ktime(random_ns(random) + (READ_ONCE(storm->few) ? 8 * NSEC_PER_MSEC : 0));
}

/* However the item ends. Afterwards the timer's function does not run either. */
static void take_back(void *arg)
{
	struct napper *napper = arg;

	napper->taken_back = hrtimer_cancel(&napper->timer);
}

static int storm_body(void *arg)
{
	struct cst_item *item = arg;
	struct storm *storm = item->group->data;
	struct napper *napper = &storm->napper[item->nr];
	struct rnd_state random;
	struct kept kept;
	int err;

	prandom_seed_state(&random, item->nr + 1);
	napper->co = costack_current();
	if (!CST_EQ(0, costack_defer(take_back, napper)))
		return -ENOMEM;
	while (atomic_long_inc_return(&storm->begun) <= storm->rounds && !cst_failures()) {
		keep(&kept, item->nr + napper->set);
		WRITE_ONCE(item->count, ++napper->set);
		hrtimer_start(&napper->timer, nap(storm, &random), HRTIMER_MODE_REL_HARD);
		err = costack_park();
		CST_TRUE(is_kept(&kept, item->nr + napper->set - 1));
		if (err)
			return err;
		CST_EQ(napper->set, READ_ONCE(napper->fired));
	}
	return is_third(storm, item->nr) ? costack_wait_event(never, false) : 42;
}

static int keep_packing(void *arg)
{
	struct storm *storm = arg;
	struct rnd_state random;

	prandom_seed_state(&random, 4711);
	while (!READ_ONCE(storm->over)) {
		unsigned int usecs = random_ns(&random) / NSEC_PER_USEC;

		cst_knob("pack", "1");
		WRITE_ONCE(storm->few, 3 * (cst_stat("packed") - storm->packed) <
				       atomic_long_read(&storm->begun));
		if (usecs)
			usleep_range(usecs, 2 * usecs);
		cond_resched();
	}
	return 0;
}

/* As long as there is progress: how long the rounds take is the machine's affair. */
static void await_rounds(struct storm *storm, long rounds)
{
	long before, now = atomic_long_read(&storm->begun);
	unsigned long end;

	do {
		before = now;
		end = jiffies + CST_PATIENCE;
		while (now < rounds && time_before(jiffies, end) && !cst_failures()) {
			usleep_range(1000, 2000);
			now = atomic_long_read(&storm->begun);
		}
	} while (now < rounds && now > before && !cst_failures());
	CST_TRUE(now >= rounds);
}

static void account(const struct storm *storm, const struct cst_group *group)
{
	long set = 0, fired = 0;
	unsigned int i;

	for (i = 0; i < group->nr; i++) {
		const struct napper *napper = &storm->napper[i];

		CST_EQ(napper->set, napper->fired + napper->taken_back);
		CST_EQ(is_third(storm, i) ? -ECANCELED : 42, group->item[i].ret);
		if (!is_third(storm, i))
			CST_EQ(0, napper->taken_back);
		set += napper->set;
		fired += napper->fired;
	}
	CST_EQ(storm->rounds, set);
	cst_figure(CST_WAKE_UPS, fired);
}

static bool start(struct storm *storm, struct cst_group *group)
{
	static const struct costack_attr attrs[] = {
		{ }, { .flags = COSTACK_PACK },
		{ .flags = COSTACK_ABORTABLE }, { .flags = COSTACK_PACK | COSTACK_ABORTABLE },
	};
	unsigned int i;

	for (i = 0; i < group->nr; i++) {
		costack_hrtimer_setup(&storm->napper[i].timer, wake, CLOCK_MONOTONIC,
				      HRTIMER_MODE_REL_HARD);
		costack_work_init(&group->item[i].work, storm_body, &group->item[i],
				  &attrs[i % ARRAY_SIZE(attrs)]);
	}
	return cst_items_start(group) &&
	       CST_EQ(0, cst_thread_start(&storm->packer, CST_ANY_CPU, keep_packing, storm));
}

static void pack_storm(const long *args)
{
	struct storm *storm = kvzalloc(struct_size(storm, napper, args[0]), GFP_KERNEL);
	struct cst_group *group = cst_items_new(args[0], false, storm_body, storm, NULL);
	bool joined;
	long i;

	if (!CST_TRUE(storm) || !group)
		return;
	storm->rounds = args[1];
	storm->cancels = args[2];
	storm->packed = cst_stat("packed");
	if (!start(storm, group))
		return;
	if (args[2]) {
		await_rounds(storm, storm->rounds / 2);
		for (i = 0; i < args[0]; i += 3)
			CST_EQ(0, costack_cancel(&group->item[i].work));
	}
	await_rounds(storm, storm->rounds);
	joined = CST_JOIN(group);
	WRITE_ONCE(storm->over, true);
	wait_for_completion(&storm->packer.done);
	if (!joined)
		return;
	account(storm, group);
	CST_TRUE(cst_stat("packed") - storm->packed >= args[1] / 4);
	CST_EQ(0, cst_stat("packed_now"));
	cst_items_free(group);
	kvfree(storm);
}

static const struct cst_case cases[] = {
	{ "pack-storm", pack_storm },
	{ }
};

struct cst_suite cst_pack_storm = { .owner = THIS_MODULE, .cases = cases };
