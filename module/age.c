// SPDX-License-Identifier: GPL-2.0
/*
 * Packing by age: what has been parked for long is packed.
 *
 * A worker makes a round through all parked coroutines each time that the knob pack_after
 * names has passed. The first round that finds a coroutine parked marks it; the next one that
 * finds it still marked packs it. A coroutine that parks again has lost its mark.
 *
 * The mark is the handler of its request. Each park stores one and, once it is parked, nobody
 * calls that: only take_next() looks at it, and leaves a coroutine with any handler but its
 * own to the host loop, which resumes it. So a mark costs nothing at a park or a hand-over.
 */
#include <linux/compiler.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "age.h"
#include "compat.h"
#include "coroutine.h"
#include "items.h"
#include "pack.h"
#include "stats.h"

static void make_round(struct work_struct *work);
static DECLARE_DELAYED_WORK(round_work, make_round);

/* Set once rounds can be made. */
static bool ready;

static enum costack_next marked(struct costack *co)
{
	return COSTACK_CONTINUE;
}

/* Marked, and its stack could not be packed: it would be tried in vain each time. */
static enum costack_next refused(struct costack *co)
{
	return COSTACK_CONTINUE;
}

/**
 * costack_age() - mark a parked coroutine, or pack it
 * @co: of a work item; has a stack; parked, and claimed by the caller
 *
 * Context: As for costack_pack().
 */
void costack_age(struct costack *co)
{
	enum costack_refusal refusal;

	if (co->req.handler != marked) {
		co->req.handler = marked;
		return;
	}
	refusal = costack_pack(co);
	if (refusal != COSTACK_MOVABLE && refusal != COSTACK_REFUSED_MEMORY)
		co->req.handler = refused;
}

static bool wanted(const struct costack *co)
{
	return costack_pack_wanted(co) && READ_ONCE(co->req.handler) != refused;
}

static void age(struct costack *co, void *unused)
{
	/* Ask again, now that @co is claimed and does not change. */
	if (wanted(co))
		costack_age(co);
}

static void make_round(struct work_struct *work)
{
	costack_items_each_parked(wanted, age, NULL);
	costack_age_set();
}

/**
 * costack_age_set() - heed a change of the knob pack_after
 *
 * Context: Process context, or the worker that makes the rounds.
 */
void costack_age_set(void)
{
	unsigned int seconds = READ_ONCE(costack_knobs.pack_after);

	if (!READ_ONCE(ready))
		return;
	if (seconds)
		mod_delayed_work(system_unbound_wq, &round_work, seconds * HZ);
	else
		cancel_delayed_work(&round_work);
}

/**
 * costack_age_init() - begin with the rounds, if the knob says so
 *
 * Context: Process context.
 */
void costack_age_init(void)
{
	WRITE_ONCE(ready, true);
	costack_age_set();
}

/**
 * costack_age_exit() - make no more rounds
 *
 * Context: Process context; may sleep. Nobody sets the knob any more.
 */
void costack_age_exit(void)
{
	WRITE_ONCE(ready, false);
	cancel_delayed_work_sync(&round_work);
}
