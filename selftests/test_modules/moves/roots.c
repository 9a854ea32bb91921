// SPDX-License-Identifier: GPL-2.0
/*
 * Roots and pins: what follows a move, what does not, and what forbids one.
 *
 *	track		a tracked pointer follows; an address in disguise does not
 *	track-places	tracked pointers in a static, on the heap, on the stack
 *	track-late	a root whose frame has returned is dropped, and reported
 *	track-cut	a root whose frame was cut off is dropped
 *	track-misuse
 *	pin		a pinned stack stays; unpinned it moves again
 *	pinned		COSTACK_PINNED stays for good
 *	pin-misuse
 *
 * All are for the copy policy, and for stacks that start with one page.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "costack_test.h"
#include "items.h"

static bool has_moved(const void *address, unsigned long disguised)
{
	return cst_disguise(address) != disguised;
}

/* === Tracking === */

struct holder {
	long		*tracked;
	long		*untracked;
	unsigned long	disguised;
};

static int track_body(void *arg)
{
	struct holder *holder = arg;
	long local = 4711;

	/* Track the pointer first, as that may already move the stack; then take the address. */
	CST_EQ(0, costack_track(&holder->tracked));
	holder->tracked = &local;
	holder->untracked = NULL;
	holder->disguised = cst_disguise(&local);
	cst_outgrow();
	CST_TRUE(has_moved(&local, holder->disguised));
	CST_TRUE(holder->tracked == &local);
	CST_EQ(4711, *holder->tracked);
	*holder->tracked = 4712;
	CST_EQ(4712, READ_ONCE(local));
	/* The control: an address that is not tracked has not changed. */
	holder->tracked = NULL;
	holder->untracked = &local;
	holder->disguised = cst_disguise(&local);
	cst_outgrow();
	CST_TRUE(has_moved(&local, holder->disguised));
	CST_TRUE(cst_disguise(holder->untracked) == holder->disguised);
	CST_EQ(0, costack_untrack(&holder->tracked));
	return 0;
}

static int untrack_body(void *arg)
{
	struct holder *holder = arg;
	long local = 4713;

	CST_EQ(0, costack_track(&holder->tracked));
	CST_EQ(0, costack_untrack(&holder->tracked));
	holder->tracked = &local;
	holder->disguised = cst_disguise(&local);
	cst_outgrow();
	CST_TRUE(has_moved(&local, holder->disguised));
	CST_TRUE(cst_disguise(holder->tracked) == holder->disguised);
	return 0;
}

static void track(const long *args)
{
	struct holder *holder = kzalloc(sizeof(*holder), GFP_KERNEL);

	if (!CST_TRUE(holder))
		return;
	CST_EQ(0, costack_call(track_body, holder));
	CST_EQ(0, costack_call(untrack_body, holder));
	kfree(holder);
}

static long *in_static;

static int track_places_body(void *arg)
{
	struct holder *on_heap = arg;
	struct holder on_stack = { };
	struct holder **twice = NULL;
	long local = 4714;
	int i;

	CST_EQ(0, costack_track(&in_static));
	CST_EQ(0, costack_track(&on_heap->tracked));
	CST_EQ(0, costack_track(&on_stack.tracked));
	CST_EQ(0, costack_track(&twice));
	CST_EQ(0, costack_track(&twice));
	in_static = &local;
	on_heap->tracked = &local;
	on_stack.tracked = &local;
	twice = &on_heap;
	for (i = 0; i < 3; i++) {
		cst_outgrow();
		CST_TRUE(in_static == &local);
		CST_TRUE(on_heap->tracked == &local);
		CST_TRUE(READ_ONCE(on_stack.tracked) == &local);
		CST_TRUE(READ_ONCE(twice) == &on_heap);
	}
	CST_EQ(0, costack_untrack(&twice));
	CST_EQ(0, costack_untrack(&twice));
	CST_EQ(-EINVAL, costack_untrack(&twice));
	CST_EQ(0, costack_untrack(&on_stack.tracked));
	CST_EQ(0, costack_untrack(&on_heap->tracked));
	CST_EQ(0, costack_untrack(&in_static));
	return 0;
}

static void track_places(const long *args)
{
	struct holder *holder = kzalloc(sizeof(*holder), GFP_KERNEL);

	if (!CST_TRUE(holder))
		return;
	CST_EQ(0, costack_call(track_places_body, holder));
	kfree(holder);
}

/* === Roots that outlive their frame === */

/*
 * So much of the stack that what was tracked down there is not even mapped after the stack
 * has shrunk; but less than the stack begins with.
 */
#define LATE_USED	(24 << 10)
#define LATE_FIRST	(32 << 10)
#define LATE_LIMIT	(64 << 10)

/**
 * struct late - a coroutine that tracks too long, and waits
 * @work: runs it
 * @holder: what it tracks on the heap
 * @gate: it waits here
 * @open: for this
 * @waits: it is about to
 */
struct late {
	struct costack_work	work;
	struct holder		*holder;
	wait_queue_head_t	gate;
	bool			open;
	bool			waits;
};

static void late_wait(void *arg)
{
	struct late *late = arg;

	WRITE_ONCE(late->waits, true);
	CST_EQ(0, costack_wait_event(late->gate, READ_ONCE(late->open)));
}

/* Deep down, track a local and something on the heap, and return. */
static noinline long track_too_long(struct late *late)
{
	long room[32] = { };
	long *local = room;
	long ret = 0;

	barrier_data(room);
	if (costack_stack_used() < LATE_USED) {
		ret = track_too_long(late);
	} else {
		CST_EQ(0, costack_track(&local));
		CST_EQ(0, costack_track(&late->holder->tracked));
		late->holder->tracked = local;
	}
	barrier_data(room);
	barrier_data(&local);
	return ret + room[0] + (local != room);
}

/* Always true; the compiler must not know. */
static bool forever = true;

/* The same, and never return. */
static noinline long track_to_the_end(struct late *late)
{
	long room[32] = { };
	long *local = room;
	long ret;

	barrier_data(room);
	if (costack_stack_used() > LATE_USED && !late->holder->tracked) {
		CST_EQ(0, costack_track(&local));
		CST_EQ(0, costack_track(&late->holder->tracked));
		late->holder->tracked = local;
	}
	ret = READ_ONCE(forever) ? track_to_the_end(late) : 0;
	barrier_data(room);
	return ret + room[0];
}

static int late_body(void *arg)
{
	struct late *late = arg;
	unsigned long disguised;

	CST_EQ(0, track_too_long(late));
	/* A move at a fault may come while the roots are still there. */
	cst_outgrow();
	late_wait(late);
	/* The stack has shrunk, which dropped the roots: the one on the heap is not adjusted. */
	CST_EQ(-EINVAL, costack_untrack(&late->holder->tracked));
	disguised = cst_disguise(late->holder->tracked);
	CST_EQ(0, costack_ensure(costack_stack_left() + 1));
	CST_TRUE(cst_disguise(late->holder->tracked) == disguised);
	return 42;
}

static int late_cut_body(void *arg)
{
	CST_EQ(0, costack_defer(late_wait, arg));
	return track_to_the_end(arg);
}

static void run_late(costack_fn_t fn, unsigned int flags, int ret)
{
	struct costack_attr attr = {
		.stack_first = LATE_FIRST, .stack_limit = LATE_LIMIT, .flags = flags,
	};
	struct late *late = kzalloc(sizeof(*late), GFP_KERNEL);
	long shrunk = cst_stat("shrunk");
	int i;

	if (!CST_TRUE(late))
		return;
	late->holder = kzalloc(sizeof(*late->holder), GFP_KERNEL);
	init_waitqueue_head(&late->gate);
	costack_work_init(&late->work, fn, late, &attr);
	CST_EQ(0, costack_queue(&late->work));
	CST_SOON(READ_ONCE(late->waits) && cst_parked() == 1);
	/* Code that may be cut off frees its data elsewhere: what it tracked is gone. */
	if (flags & COSTACK_ABORTABLE)
		kfree(xchg(&late->holder, NULL));
	for (i = 0; i < 4; i++)
		cst_knob("shrink", "1");
	CST_TRUE(cst_stat("shrunk") >= shrunk + 3);
	WRITE_ONCE(late->open, true);
	wake_up(&late->gate);
	CST_EQ(ret, costack_wait(&late->work));
	kfree(late->holder);
	kfree(late);
}

static void track_late(const long *args)
{
	run_late(late_body, 0, 42);
}

static void track_cut(const long *args)
{
	run_late(late_cut_body, COSTACK_ABORTABLE, -EOVERFLOW);
}

static int track_misuse_body(void *arg)
{
	char *unaligned = (char *)&in_static + 1;

	CST_EQ(-EINVAL, costack_track(NULL));
	CST_EQ(-EINVAL, costack_untrack(NULL));
	CST_EQ(-EINVAL, costack_track(unaligned));
	CST_EQ(-EINVAL, costack_untrack(&in_static));
	CST_EQ(0, costack_track(&in_static));
	/* A root that is still tracked at the end is dropped and reported. */
	return 0;
}

static void track_misuse(const long *args)
{
	CST_EQ(-EINVAL, costack_track(&in_static));
	CST_EQ(-EINVAL, costack_untrack(&in_static));
	CST_EQ(0, costack_call(track_misuse_body, NULL));
	CST_EQ(0, costack_call(track_misuse_body, NULL));
}

/* === Pins === */

struct growth {
	long	copied;
	long	in_place;
	long	refused;
};

static struct growth growth_so_far(void)
{
	return (struct growth) {
		cst_stat("grown_by_copy"), cst_stat("grown_in_place"), cst_stat("moves_refused"),
	};
}

/* Grow once, and check how, and whether the address of a local is another. */
static noinline void outgrow_by(bool move)
{
	struct growth before = growth_so_far(), after;
	long local;
	unsigned long disguised = cst_disguise(&local);

	barrier_data(&disguised);
	cst_outgrow();
	CST_EQ(move, has_moved(&local, disguised));
	after = growth_so_far();
	CST_EQ(move, after.copied - before.copied);
	CST_EQ(!move, after.in_place - before.in_place);
	CST_EQ(!move, after.refused - before.refused);
}

static int pin_body(void *arg)
{
	outgrow_by(true);
	CST_EQ(0, costack_pin());
	outgrow_by(false);
	CST_EQ(0, costack_pin());
	CST_EQ(0, costack_unpin());
	outgrow_by(false);
	CST_EQ(0, costack_unpin());
	outgrow_by(true);
	return 0;
}

static void pin(const long *args)
{
	CST_EQ(0, costack_call(pin_body, NULL));
}

static int pinned_body(void *arg)
{
	outgrow_by(false);
	CST_EQ(-EINVAL, costack_unpin());
	outgrow_by(false);
	CST_EQ(0, costack_pin());
	CST_EQ(0, costack_unpin());
	outgrow_by(false);
	CST_EQ(-EINVAL, costack_unpin());
	outgrow_by(false);
	return 0;
}

static void pinned(const long *args)
{
	struct costack_attr attr = { .flags = COSTACK_PINNED };

	CST_EQ(0, costack_call_attr(&attr, pinned_body, NULL));
}

static int pin_misuse_body(void *arg)
{
	CST_EQ(-EINVAL, costack_unpin());
	CST_EQ(0, costack_pin());
	CST_EQ(0, costack_pin());
	CST_EQ(0, costack_unpin());
	CST_EQ(0, costack_unpin());
	CST_EQ(-EINVAL, costack_unpin());
	/* A pin that is left over ends with the coroutine. */
	CST_EQ(0, costack_pin());
	return 0;
}

static void pin_misuse(const long *args)
{
	CST_EQ(-EINVAL, costack_pin());
	CST_EQ(-EINVAL, costack_unpin());
	CST_EQ(0, costack_call(pin_misuse_body, NULL));
	CST_EQ(0, costack_call(pin_misuse_body, NULL));
}

static const struct cst_case cases[] = {
	{ "track", track },
	{ "track-places", track_places },
	{ "track-late", track_late },
	{ "track-cut", track_cut },
	{ "track-misuse", track_misuse },
	{ "pin", pin },
	{ "pinned", pinned },
	{ "pin-misuse", pin_misuse },
	{ }
};

struct cst_suite cst_roots = { .owner = THIS_MODULE, .cases = cases };
