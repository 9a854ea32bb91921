// SPDX-License-Identifier: GPL-2.0
/*
 * Stuck coroutines: those that have been parked for longer than the knob stuck_after says are
 * reported in the log, once for each wait. The kernel's own watch for hung tasks sees threads only.
 *
 * A worker makes a round through all parked coroutines every second, or less often if there are
 * so many that a round takes long. The first round that comes across a coroutine tags it with the
 * time; a later one compares. A coroutine that parks again has lost the tag: see tags.c. So nothing
 * is done at a park, and a wait is counted from up to one round after its begin.
 *
 * A wait whose end is set, by a sleep or a timeout, is not reported: it ends by itself.
 *
 * A round claims each coroutine for as long as it looks at it, and keeps what it finds. It prints
 * at its end, when it holds nothing any more. The exception is a cycle of locks, which is printed
 * at once: those in it do not continue anyway.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitfield.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "called.h"
#include "compat.h"
#include "coroutine.h"
#include "holder.h"
#include "items.h"
#include "pool.h"
#include "stats.h"
#include "stuck.h"
#include "tags.h"
#include "traces.h"
#include "waiter.h"

/* The next round begins after this many times as long as the last one took, or after a second. */
#define PAUSE		20

/* Different reports that a round prints, and frames in each. The others are summed up. */
#define MAX_REPORTS	10U
#define MAX_FRAMES	32U

/* Stacks that a round walks over. Coroutines that it finds after that are counted only. */
#define MAX_WALKS	1000U

/* Room for the name of a module, or for the name and the number of a thread. */
#define MAX_OWNER	64U
static_assert(MAX_OWNER >= MODULE_NAME_LEN && MAX_OWNER >= TASK_COMM_LEN + 16);

/**
 * struct report - what is known about coroutines that are stuck in the same place
 * @hash: of @fn, @waits and @ip
 * @count: number of these coroutines
 * @seconds: how long the first of them has been parked, at least
 * @waits: what they wait for
 * @fn: what they run
 * @name: name of the first of them; may be empty
 * @owner: the module of an item, or the thread of a call
 * @nr: number of frames that are known
 * @ip: code addresses of the frames, newest first
 */
struct report {
	u32			hash;
	unsigned long		count;
	unsigned int		seconds;
	enum costack_waits	waits;
	const void		*fn;
	char			name[COSTACK_NAME_LEN];
	char			owner[MAX_OWNER];
	unsigned int		nr;
	unsigned long		ip[MAX_FRAMES];
};

/**
 * struct round - what a round finds
 * @now: when it began, as in COSTACK_TAG_SINCE
 * @walks: number of stacks that it has walked over
 * @others: number of coroutines that are stuck and in none of the reports
 * @nr: number of reports
 * @report: the reports
 * @found: the one that is being made
 * @copy: a stack for the copy of one that is packed, which stays packed
 */
struct round {
	u32		now;
	unsigned int	walks;
	unsigned long	others;
	unsigned int	nr;
	struct report	report[MAX_REPORTS];
	struct report	found;
	struct costack_slot *copy;
};

static void make_round(struct work_struct *work);
static DECLARE_DELAYED_WORK(round_work, make_round);

/* Covers what follows, and the order in which the rounds are set and cancelled. */
static DEFINE_MUTEX(set_lock);
/* Rounds can be made. */
static bool ready;

/* === Time === */

/* The time since boot; never 0, which means that a coroutine has not been seen. */
static u32 seconds_now(void)
{
	return (ktime_get_seconds() & FIELD_MAX(COSTACK_TAG_SINCE)) ?: 1;
}

/* For how long has a coroutine been parked, at least? */
static unsigned int seconds_parked(u32 tags, u32 now)
{
	unsigned int since = FIELD_GET(COSTACK_TAG_SINCE, tags);
	unsigned int seconds = (now - since) & FIELD_MAX(COSTACK_TAG_SINCE);

	/* Both times are rounded down. */
	return since && seconds ? seconds - 1 : 0;
}

static bool is_late(u32 tags, u32 now)
{
	return seconds_parked(tags, now) >= READ_ONCE(costack_knobs.stuck_after);
}

/* === Reports === */

/* The end of a wait for a channel or a queue is set if its timer runs. */
static bool ends_by_itself(const struct costack *co)
{
	struct costack_waiter *waiter = co->waiter;

	return waiter && waiter->timed &&
	       (costack_waits(co) == COSTACK_WAITS_TIME ||
		timer_pending(costack_waiter_timer(waiter)));
}

static void name_owner(char *owner, size_t size, const struct costack *co)
{
	const struct module *mod;

	if (co->work) {
		mod = co->work->owner;
		snprintf(owner, size, "%s", mod ? mod->name : "the kernel");
		return;
	}
	/* A thread that has died under its coroutine has marked it before: see lost.c. */
	rcu_read_lock();
	if (READ_ONCE(co->flags) & COSTACK_LOST)
		strscpy(owner, "a thread that has died", size);
	else
		snprintf(owner, size, "%s:%d", co->task->comm, task_pid_nr(co->task));
	rcu_read_unlock();
}

static bool same(const struct report *a, const struct report *b)
{
	return a->hash == b->hash && a->fn == b->fn && a->waits == b->waits && a->nr == b->nr &&
	       !memcmp(a->ip, b->ip, a->nr * sizeof(a->ip[0]));
}

static void fold(struct round *round)
{
	struct report *found = &round->found;
	unsigned int i = 0;

	while (i < round->nr && !same(&round->report[i], found))
		i++;
	if (i == MAX_REPORTS) {
		round->others++;
		return;
	}
	if (i == round->nr) {
		round->report[i] = *found;
		round->nr++;
	}
	round->report[i].count++;
}

static void report(struct round *round, const struct costack *co, unsigned int seconds)
{
	struct report *found = &round->found;

	costack_stat_inc(COSTACK_STAT_STUCK);
	if (round->walks == MAX_WALKS) {
		round->others++;
		return;
	}
	round->walks++;
	found->count = 0;
	found->seconds = seconds;
	found->waits = costack_waits(co);
	found->fn = co->fn;
	strscpy(found->name, co->name[0] ? co->name : "(no name)", sizeof(found->name));
	name_owner(found->owner, sizeof(found->owner), co);
	found->nr = costack_traces_frames(co, round->copy, found->ip, MAX_FRAMES);
	found->hash = jhash(found->ip, found->nr * sizeof(found->ip[0]), found->waits);
	fold(round);
}

static void print(const struct round *round)
{
	unsigned int i, j;

	for (i = 0; i < round->nr; i++) {
		const struct report *report = &round->report[i];

		pr_warn("coroutine %s, %ps, of %s, is stuck: parked for more than %u s, for: %s\n",
			report->name, report->fn, report->owner, report->seconds,
			costack_waits_names[report->waits]);
		for (j = 0; j < report->nr; j++)
			pr_warn("  %pS\n", (void *)report->ip[j]);
		if (report->nr == MAX_FRAMES)
			pr_warn("  (and its callers)\n");
		if (report->count > 1)
			pr_warn("%lu more are stuck there\n", report->count - 1);
	}
	if (round->others)
		pr_warn("%lu more are stuck\n", round->others);
}

/* === Rounds === */

static bool wanted(const struct costack *co)
{
	u32 tags = costack_tags(co);

	if (tags & COSTACK_TAG_TOLD)
		return false;
	return !(tags & COSTACK_TAG_SINCE) || is_late(tags, seconds_now());
}

/* @co is claimed. */
static void look(struct costack *co, void *arg)
{
	struct round *round = arg;
	u32 tags = costack_tags(co);

	if (tags & COSTACK_TAG_TOLD)
		return;
	if (!(tags & COSTACK_TAG_SINCE)) {
		costack_tag(co, FIELD_PREP(COSTACK_TAG_SINCE, round->now));
		/* If the last two of a cycle have parked at the same time, neither has seen it. */
		if (costack_is_locking(co))
			costack_mutex_report_cycle(co);
	} else if (is_late(tags, round->now)) {
		costack_tag(co, COSTACK_TAG_TOLD);
		if (!ends_by_itself(co))
			report(round, co, seconds_parked(tags, round->now));
	}
}

static void go_round(void)
{
	struct round *round = kvzalloc(sizeof(*round), GFP_KERNEL);

	if (!round)
		return;
	round->copy = costack_stackalloc(0, GFP_KERNEL);
	if (round->copy) {
		round->now = seconds_now();
		costack_items_each_parked(wanted, look, round);
		costack_called_each_parked(look, round);
		costack_stackfree(round->copy);
		print(round);
	}
	kvfree(round);
}

static void set_next(unsigned long delay)
{
	mutex_lock(&set_lock);
	if (ready && READ_ONCE(costack_knobs.stuck_after))
		mod_delayed_work(system_dfl_wq, &round_work, delay);
	else
		cancel_delayed_work(&round_work);
	mutex_unlock(&set_lock);
}

static void make_round(struct work_struct *work)
{
	unsigned long start = jiffies;

	if (READ_ONCE(costack_knobs.stuck_after))
		go_round();
	set_next(max_t(unsigned long, HZ, PAUSE * (jiffies - start)));
}

/**
 * costack_stuck_set() - heed a change of the knob stuck_after
 *
 * Context: Process context; may sleep.
 */
void costack_stuck_set(void)
{
	set_next(HZ);
}

/**
 * costack_stuck_init() - begin with the rounds, if the knob says so
 *
 * Context: Process context; may sleep.
 */
void costack_stuck_init(void)
{
	mutex_lock(&set_lock);
	ready = true;
	mutex_unlock(&set_lock);
	costack_stuck_set();
}

/**
 * costack_stuck_exit() - make no more rounds
 *
 * Context: Process context; may sleep. Nobody sets the knob any more.
 */
void costack_stuck_exit(void)
{
	mutex_lock(&set_lock);
	ready = false;
	mutex_unlock(&set_lock);
	cancel_delayed_work_sync(&round_work);
}
