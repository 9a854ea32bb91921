// SPDX-License-Identifier: GPL-2.0
/*
 * Packing: a parked coroutine whose stack is kept without the stack.
 *
 *	pack ITEMS ROUNDS FLAGS	parked by a wait queue, so many times; FLAGS as in struct
 *				costack_attr. Locals are checked after each park
 *	pack-file ITEMS		packed by the file pack, twice; then woken
 *	pack-age ITEMS		packed by age; then woken
 *	pack-fixed		text that may not be moved keeps its stack
 *	pack-large		and so does one that uses much of its stack
 *	pack-chan ITEMS		receivers on whose stacks values arrive meanwhile
 *	pack-cancel ITEMS	a third is cancelled while packed, and cut off or told
 *	pack-leave ITEMS [FLAGS] leaves them packed; FLAGS besides COSTACK_PACK
 *	pack-take-back		and cancels them
 *	pack-roots ITEMS	what points into the stack from outside, and what only looks
 *				as if it did; and frames that are cut off while packed
 *	pack-follow ROUNDS	a tracked pointer names memory at any moment
 *	pack-own-queue ITEMS	a wait for a queue on the own stack keeps that stack
 *	pack-pressure ITEMS	packed when memory is short
 *	queue-many ITEMS	items that have not begun have no stacks
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "items.h"
#include "kept.h"

static DECLARE_WAIT_QUEUE_HEAD(gate);
static unsigned int gate_round;

static void open_gate(unsigned int round)
{
	WRITE_ONCE(gate_round, round);
	wake_up_all(&gate);
}

static void check(const struct kept *kept, unsigned long seed)
{
	CST_TRUE(is_kept(kept, seed));
}

/* Wait for a round, with locals in two frames. */
static noinline int wait_for(unsigned int round, unsigned long seed)
{
	struct kept kept;
	int err;

	keep(&kept, seed);
	err = costack_wait_event(gate, READ_ONCE(gate_round) >= round);
	check(&kept, seed);
	return err;
}

static int rounds_body(void *arg)
{
	struct cst_item *item = arg;
	long rounds = *(long *)item->group->data, i;
	struct kept kept;

	keep(&kept, item->nr);
	for (i = 1; i <= rounds; i++) {
		CST_EQ(0, wait_for(i, item->nr * 1000 + i));
		check(&kept, item->nr);
		WRITE_ONCE(item->count, i);
	}
	return 42;
}

static void pack(const long *args)
{
	struct costack_attr attr = { .flags = args[2] };
	long rounds = args[1], packed = cst_stat("packed"), i;
	struct cst_group *group = cst_items_new(args[0], false, rounds_body, &rounds, &attr);

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	for (i = 1; i <= rounds && !cst_failures(); i++) {
		CST_SOON(cst_parked() == args[0]);
		CST_EQ(attr.flags & COSTACK_PACK ? args[0] : 0, cst_stat("packed_now"));
		open_gate(i);
	}
	CST_FINISH(group, 42);
	CST_EQ(0, cst_stat("packed_now"));
	if (attr.flags & COSTACK_PACK)
		CST_TRUE(cst_stat("packed") - packed >= args[0] * rounds);
	else
		CST_EQ(packed, cst_stat("packed"));
}

static void pack_file(const long *args)
{
	long rounds = 1, packed = cst_stat("packed");
	struct cst_group *group = cst_items_new(args[0], false, rounds_body, &rounds, NULL);

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	CST_EQ(0, cst_stat("packed_now"));
	cst_knob("pack", "1");
	cst_knob("pack", "1");
	CST_EQ(args[0], cst_stat("packed_now"));
	CST_EQ(args[0], cst_stat("packed") - packed);
	open_gate(1);
	CST_FINISH(group, 42);
	CST_EQ(0, cst_stat("packed_now"));
}

/* The script has set pack_after. */
static void pack_age(const long *args)
{
	long rounds = 1;
	struct cst_group *group = cst_items_new(args[0], false, rounds_body, &rounds, NULL);

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_stat("packed_now") == args[0]);
	open_gate(1);
	CST_FINISH(group, 42);
	CST_EQ(0, cst_stat("packed_now"));
}

/* === What stays === */

static int in_kernel_ret;

/* sort() calls it once for two. */
static int compare(const void *a, const void *b)
{
	in_kernel_ret = wait_for(1, 5);
	return 0;
}

static int fixed_body(void *unused)
{
	int numbers[2] = { 1, 2 };

	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	return in_kernel_ret ?: 42;
}

static noinline int large_body(void *arg)
{
	unsigned char room[2000];
	int err;

	memset(room, 7, sizeof(room));
	barrier_data(room);
	err = wait_for(1, 6);
	CST_TRUE(!memchr_inv(room, 7, sizeof(room)));
	return err ?: 42;
}

static void stays(costack_fn_t fn, bool refused)
{
	struct costack_attr attr = { .flags = COSTACK_PACK };
	long before = cst_stat("packs_refused");
	struct cst_group *group = cst_items_new(1, false, fn, NULL, &attr);

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_parked() == 1);
	CST_EQ(0, cst_stat("packed_now"));
	CST_TRUE(cst_stat("packs_refused") > before);
	before = cst_stat("packs_refused");
	cst_knob("pack", "1");
	CST_EQ(refused, cst_stat("packs_refused") - before);
	CST_EQ(0, cst_stat("packed_now"));
	open_gate(1);
	CST_FINISH(group, 42);
}

static void pack_fixed(const long *args)
{
	stays(fixed_body, true);
}

/* The file does not even try. */
static void pack_large(const long *args)
{
	stays(large_body, false);
}

/* === Values that arrive === */

static int receive_body(void *arg)
{
	struct cst_item *item = arg;
	unsigned long value[2] = { };
	struct kept kept;

	keep(&kept, item->nr);
	CST_EQ(0, costack_chan_recv(item->group->data, value));
	check(&kept, item->nr);
	CST_EQ(~value[0], value[1]);
	WRITE_ONCE(item->count, value[0]);
	return 42;
}

static void pack_chan(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PACK };
	struct costack_chan *chan = costack_chan_create(2 * sizeof(long), 0);
	struct cst_group *group = cst_items_new(args[0], false, receive_body, chan, &attr);
	long i, sum = 0;

	if (!CST_TRUE(chan) || !group)
		return;
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	CST_EQ(args[0], cst_stat("packed_now"));
	for (i = 0; i < args[0]; i++) {
		unsigned long value[2] = { i + 1, ~(i + 1UL) };

		CST_EQ(0, costack_chan_try_send(chan, value));
	}
	if (!CST_JOIN(group))
		return;
	for (i = 0; i < args[0]; i++)
		sum += group->item[i].count;
	CST_EQ(args[0] * (args[0] + 1) / 2, sum);
	CST_FINISH(group, 42);
	costack_chan_destroy(chan);
}

/* === Cancel === */

static void note_defer(void *arg)
{
	struct cst_item *item = arg;

	item->count++;
}

static int cancel_body(void *arg)
{
	struct cst_item *item = arg;
	struct kept kept;
	int err;

	keep(&kept, item->nr);
	CST_EQ(0, costack_defer(note_defer, item));
	err = wait_for(1, item->nr);
	check(&kept, item->nr);
	return err ?: 42;
}

static void cancel(long items, unsigned int flags)
{
	struct costack_attr attr = { .flags = COSTACK_PACK | flags };
	struct cst_group *group = cst_items_new(items, false, cancel_body, NULL, &attr);
	long i;

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_parked() == items);
	CST_EQ(items, cst_stat("packed_now"));
	for (i = 0; i < items; i += 3)
		CST_EQ(0, costack_cancel(&group->item[i].work));
	open_gate(1);
	if (!CST_JOIN(group))
		return;
	for (i = 0; i < items; i++) {
		CST_EQ(1, group->item[i].count);
		/* The gate may have been open before it looked again. */
		if (i % 3 || group->item[i].ret != 42)
			CST_EQ(i % 3 ? 42 : -ECANCELED, group->item[i].ret);
	}
	cst_items_free(group);
}

static void pack_cancel(const long *args)
{
	cancel(args[0], 0);
	cancel(args[0], COSTACK_ABORTABLE);
}

static struct cst_group *left;

static void pack_leave(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PACK | args[1] };

	if (!CST_TRUE(!left))
		return;
	left = cst_items_new(args[0], false, cancel_body, NULL, &attr);
	if (!left)
		return;
	open_gate(0);
	cst_items_start(left);
	CST_SOON(cst_parked() == args[0]);
	CST_EQ(args[0], cst_stat("packed_now"));
}

static void pack_take_back(const long *args)
{
	struct cst_group *group = left;
	unsigned int i;

	left = NULL;
	if (!CST_TRUE(group))
		return;
	for (i = 0; i < group->started; i++)
		CST_EQ(0, costack_cancel(&group->item[i].work));
	CST_FINISH(group, -ECANCELED);
}

/* === Roots === */

/**
 * struct rooted - what an item of pack-roots has outside of its stack
 * @inside: tracked: points to a local
 * @guess: from outside: addresses of its stack, as somebody could guess them
 * @later: how often its defers have found their frame whole
 */
struct rooted {
	unsigned long	*inside;
	unsigned long	guess[8];
	long		later;
};

static noinline void guess(struct rooted *rooted, const void *sp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rooted->guess); i++)
		rooted->guess[i] = (unsigned long)sp + i * sizeof(long);
}

/**
 * struct later - argument of a defer, in the frame that the item is cut off in
 * @kept: what it must find again
 * @rooted: where to note that
 */
struct later {
	struct kept	kept;
	struct rooted	*rooted;
};

static void look_later(void *arg)
{
	struct later *later = arg;

	check(&later->kept, 77);
	later->rooted->later++;
}

static noinline int cut_off_here(struct rooted *rooted)
{
	struct later later = { .rooted = rooted };

	keep(&later.kept, 77);
	CST_EQ(0, costack_defer(look_later, &later));
	return wait_for(2, 78);
}

static int roots_body(void *arg)
{
	struct cst_item *item = arg;
	struct rooted *rooted = (struct rooted *)item->group->data + item->nr;
	unsigned long guessed[ARRAY_SIZE(rooted->guess)];
	unsigned long *on_stack = NULL;
	struct kept kept;

	costack_opaque(guessed, sizeof(guessed));
	keep(&kept, item->nr);
	CST_EQ(0, costack_track(&rooted->inside));
	CST_EQ(0, costack_track(&on_stack));
	rooted->inside = &kept.number[1];
	on_stack = &kept.number[2];
	guess(rooted, (void *)current_stack_pointer);
	memcpy(guessed, rooted->guess, sizeof(guessed));
	CST_EQ(0, wait_for(1, item->nr));
	CST_TRUE(!memcmp(guessed, rooted->guess, sizeof(guessed)));
	CST_TRUE(rooted->inside == &kept.number[1]);
	CST_TRUE(READ_ONCE(on_stack) == &kept.number[2]);
	CST_EQ(0, costack_untrack(&on_stack));
	CST_EQ(0, costack_untrack(&rooted->inside));
	check(&kept, item->nr);
	return cut_off_here(rooted);
}

static void pack_roots(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PACK | COSTACK_ABORTABLE };
	struct rooted *rooted = kcalloc(args[0], sizeof(*rooted), GFP_KERNEL);
	struct cst_group *group = cst_items_new(args[0], false, roots_body, rooted, &attr);
	long i;

	if (!CST_TRUE(rooted) || !group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_stat("packed_now") == args[0]);
	/* Others may follow a tracked pointer while nothing moves. */
	for (i = 0; i < args[0]; i++)
		CST_EQ(kept_number(i, 1), *rooted[i].inside);
	open_gate(1);
	CST_SOON(cst_stat("packed_now") == args[0] && cst_parked() == args[0]);
	for (i = 0; i < args[0]; i++)
		CST_EQ(0, costack_cancel(&group->item[i].work));
	CST_FINISH(group, -ECANCELED);
	for (i = 0; i < args[0]; i++)
		CST_EQ(1, rooted[i].later);
	kfree(rooted);
}

/**
 * struct follow - a pointer that another thread reads all the time
 * @inside: tracked: points to a local
 * @followed: how often it was followed
 * @astray: how often nothing was mapped there
 * @thread: that thread
 * @done: no longer
 */
struct follow {
	unsigned long		*inside;
	long			followed;
	long			astray;
	struct cst_thread	thread;
	bool			done;
};

/*
 * The stack may move between the two reads, so what is found there is of no interest; but
 * old stacks and new ones are mapped.
 */
static int follow(void *arg)
{
	struct follow *follow = arg;
	unsigned long value;

	while (!READ_ONCE(follow->done)) {
		unsigned long *inside = READ_ONCE(follow->inside);

		/* There may be one CPU only, and nothing to follow any more. */
		cond_resched();
		if (!inside)
			continue;
		if (copy_from_kernel_nofault(&value, inside, sizeof(value)))
			follow->astray++;
		WRITE_ONCE(follow->followed, follow->followed + 1);
	}
	return 0;
}

static int followed_body(void *arg)
{
	struct cst_item *item = arg;
	struct follow *follow = item->group->data;
	struct kept kept;
	long i;

	keep(&kept, 1);
	CST_EQ(0, costack_track(&follow->inside));
	WRITE_ONCE(follow->inside, &kept.number[1]);
	for (i = 1; READ_ONCE(gate_round) < ~0U; i++) {
		item->count = i;
		CST_EQ(0, wait_for(i, i));
	}
	CST_TRUE(follow->inside == &kept.number[1]);
	WRITE_ONCE(follow->inside, NULL);
	CST_EQ(0, costack_untrack(&follow->inside));
	return 42;
}

static void pack_follow(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PACK };
	struct follow *f = kzalloc(sizeof(*f), GFP_KERNEL);
	struct cst_group *group = cst_items_new(1, false, followed_body, f, &attr);
	long i;

	if (!CST_TRUE(f) || !group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_stat("packed_now") == 1);
	CST_EQ(0, cst_thread_start(&f->thread, CST_ANY_CPU, follow, f));
	CST_SOON(READ_ONCE(f->followed));
	for (i = 1; i <= args[0] && !cst_failures(); i++) {
		open_gate(i);
		CST_SOON(READ_ONCE(group->item[0].count) > i && cst_stat("packed_now") == 1);
	}
	open_gate(~0U);
	CST_FINISH(group, 42);
	WRITE_ONCE(f->done, true);
	wait_for_completion(&f->thread.done);
	CST_EQ(0, f->astray);
	kfree(f);
}

/* === A queue on the own stack === */

/* As plain code polls: nobody but the kernel has the address of the queue. */
static noinline int poll(void *arg)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(queue);
	struct cst_item *item = arg;
	long i;

	for (i = 0; i < 3; i++) {
		CST_EQ(0, costack_wait_event_timeout(queue, READ_ONCE(gate_round) > 1, 1));
		item->count++;
	}
	/* Nobody else knows the queue. */
	CST_TRUE(list_empty(&queue.head));
	return wait_for(1, item->nr) ?: 42;
}

static void pack_own_queue(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PACK };
	long refused = cst_stat("packs_refused");
	struct cst_group *group = cst_items_new(args[0], false, poll, NULL, &attr);

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	/* Once the wait is over the stack may be packed again. */
	CST_SOON(cst_stat("packed_now") == args[0]);
	CST_TRUE(cst_stat("packs_refused") > refused);
	open_gate(1);
	CST_FINISH(group, 42);
}

/* === Memory pressure === */

static void pack_pressure(const long *args)
{
	long rounds = 1, packed = cst_stat("packed");
	struct cst_group *group = cst_items_new(args[0], false, rounds_body, &rounds, NULL);
	unsigned long end = jiffies + CST_PATIENCE;

	if (!group)
		return;
	open_gate(0);
	cst_items_start(group);
	CST_SOON(cst_parked() == args[0]);
	/* This asks for all that can be freed; costack packs stacks once a second. */
	while (cst_stat("packed") < packed + args[0] && time_before(jiffies, end)) {
		CST_EQ(0, cst_write_file("/proc/sys/vm/drop_caches", "2"));
		msleep(100);
	}
	CST_EQ(args[0], cst_stat("packed_now"));
	open_gate(1);
	CST_FINISH(group, 42);
}

/* === Not begun === */

/* Nothing else runs in a worker that computes, so few items begin before the gate opens. */
static int compute_body(void *arg)
{
	struct cst_item *item = arg;

	atomic_long_inc(item->group->data);
	while (!READ_ONCE(gate_round))
		cond_resched();
	return 42;
}

/* Of stacks, those are counted that have come since; some are made for a reserve. */
static void queue_many(const long *args)
{
	atomic_long_t begun = ATOMIC_LONG_INIT(0);
	struct cst_group *group = cst_items_new(args[0], false, compute_body, &begun, NULL);
	long before = cst_stat("stacks_4k"), i, stacks;

	if (!group)
		return;
	open_gate(0);
	/* Workers are added for as long as this takes, and all of them compute. */
	sched_set_fifo_low(current);
	for (i = 0; i < args[0]; i++) {
		CST_EQ(0, costack_queue(&group->item[i].work));
		if (i % 100 != 99)
			continue;
		stacks = cst_stat("stacks_4k") - before;
		CST_TRUE(stacks <= atomic_long_read(&begun) + 64);
	}
	sched_set_normal(current, 0);
	group->started = args[0];
	CST_TRUE(atomic_long_read(&begun) < args[0] / 2);
	open_gate(1);
	CST_FINISH(group, 42);
}

static const struct cst_case cases[] = {
	{ "pack", pack },
	{ "pack-file", pack_file },
	{ "pack-age", pack_age },
	{ "pack-fixed", pack_fixed },
	{ "pack-large", pack_large },
	{ "pack-chan", pack_chan },
	{ "pack-cancel", pack_cancel },
	{ "pack-leave", pack_leave, .in_writer = true },
	{ "pack-take-back", pack_take_back },
	{ "pack-roots", pack_roots },
	{ "pack-follow", pack_follow },
	{ "pack-own-queue", pack_own_queue },
	{ "pack-pressure", pack_pressure },
	{ "queue-many", queue_many },
	{ }
};

struct cst_suite cst_pack = { .owner = THIS_MODULE, .cases = cases };
