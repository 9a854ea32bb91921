// SPDX-License-Identifier: GPL-2.0
/*
 * Packing by age: what has been parked for long is packed.
 *
 * A worker makes a round through all parked coroutines each time that the knob pack_after
 * names has passed. The first round that finds a coroutine parked marks it; the next one that
 * finds it still marked packs it. A coroutine that parks again has lost its mark.
 *
 * The mark is a tag: see tags.c.
 */
#include <linux/compiler.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "age.h"
#include "compat.h"
#include "coroutine.h"
#include "items.h"
#include "pack.h"
#include "stats.h"
#include "tags.h"

static void make_round(struct work_struct *work);
static DECLARE_DELAYED_WORK(round_work, make_round);

/* Covers what follows, and the order in which the rounds are set and cancelled. */
static DEFINE_MUTEX(set_lock);
/* Rounds can be made. */
static bool ready;

/* If the stack cannot be packed, no round tries it again in this wait. */
static void try_pack(struct costack *co)
{
	enum costack_refusal refusal = costack_pack(co);

	if (refusal != COSTACK_MOVABLE && refusal != COSTACK_REFUSED_MEMORY)
		costack_tag(co, COSTACK_TAG_KEPT);
}

/**
 * costack_age() - mark a parked coroutine, or pack it
 * @co: of a work item; has a stack; parked, and claimed by the caller
 *
 * Context: As for costack_pack().
 */
void costack_age(struct costack *co)
{
	if (costack_tags(co) & COSTACK_TAG_OLD)
		try_pack(co);
	else
		costack_tag(co, COSTACK_TAG_OLD);
}

static bool wanted(const struct costack *co)
{
	return costack_pack_wanted(co) && !(costack_tags(co) & COSTACK_TAG_KEPT);
}

static void age(struct costack *co, void *unused)
{
	/* Ask again, now that @co is claimed and does not change. */
	if (wanted(co))
		costack_age(co);
}

static void make_round(struct work_struct *work)
{
	if (READ_ONCE(costack_knobs.pack_after))
		costack_items_each_parked(wanted, age, NULL);
	costack_age_set();
}

static void pack(struct costack *co, void *unused)
{
	if (wanted(co))
		try_pack(co);
}

/**
 * costack_age_pack_all() - pack what is parked, whatever its age
 *
 * Leaves out what could not be packed since it parked.
 *
 * Context: Process context; may sleep.
 */
void costack_age_pack_all(void)
{
	costack_items_each_parked(wanted, pack, NULL);
}

/**
 * costack_age_set() - heed a change of the knob pack_after
 *
 * Context: Process context, or the worker that makes the rounds; may sleep.
 */
void costack_age_set(void)
{
	unsigned int seconds;

	mutex_lock(&set_lock);
	seconds = READ_ONCE(costack_knobs.pack_after);
	if (ready && seconds)
		mod_delayed_work(system_dfl_wq, &round_work, seconds * HZ);
	else
		cancel_delayed_work(&round_work);
	mutex_unlock(&set_lock);
}

/**
 * costack_age_init() - begin with the rounds, if the knob says so
 *
 * Context: Process context.
 */
void costack_age_init(void)
{
	mutex_lock(&set_lock);
	ready = true;
	mutex_unlock(&set_lock);
	costack_age_set();
}

/**
 * costack_age_exit() - make no more rounds
 *
 * Context: Process context; may sleep. Nobody sets the knob any more.
 */
void costack_age_exit(void)
{
	mutex_lock(&set_lock);
	ready = false;
	mutex_unlock(&set_lock);
	cancel_delayed_work_sync(&round_work);
}
