// SPDX-License-Identifier: GPL-2.0
/*
 * The limit: an abortable coroutine ends with -EOVERFLOW after its defers.
 *
 *	abort LIMIT ROUNDS	dig until cut off, defers at many depths
 *	abort-pinned LIMIT	a pinned stack may be left, too
 *	abort-nested		the inner one is cut off, the outer one goes on
 *	abort-in-defer		a defer that is cut off does not keep the others
 *				from running
 *	abort-beyond		where it cannot be cut off, it gets more pages
 *	abort-callback BYTES	the same in a function that a kernel function calls back
 *	abort-kernel LIMIT	only kernel functions meet the end, never the recursion itself
 *	abort-chan LIMIT HOW	the same with sends that wake a receiver each: 0 by a send, 1 by
 *				one with a limit of time, 2 by a select
 *	abort-waiting		it is cut off in costack_wait(); then a cancel ends a defer
 *	abort-tight		its defers get more pages, too: they begin at the limit
 *	defer			defers of an ordinary end, and misuse
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "items.h"

#define MAGIC		0x6d61676963UL
/* Register a defer at each of so many levels. */
#define EVERY		8

/**
 * struct mark - a local that a defer gets the address of
 * @level: of the frame that it is in
 * @magic: MAGIC + @level
 * @self: address of this struct, wherever it is
 */
struct mark {
	long		level;
	unsigned long	magic;
	struct mark	*self;
};

/* What the defers of one coroutine saw. It is static, so its address may be kept anywhere. */
static struct {
	long	ran;
	long	next;
	bool	bad;
} seen;

/* Always true; the compiler must not know. */
static bool forever = true;

static noinline void undo(void *arg)
{
	const struct mark *mark = arg;

	/* The coroutine may have been cut off after the last registration and before seen.next. */
	if (!seen.ran++ && mark->level == seen.next + EVERY)
		seen.next += EVERY;
	seen.bad |= mark->level != seen.next || mark->magic != MAGIC + mark->level ||
		    mark->self != mark || !costack_current();
	/* An old stack may still hold the same words: @mark has to lie on this one. */
	seen.bad |= (unsigned long)mark - cst_stack_lo() >= costack_stack_size();
	seen.next -= EVERY;
}

static noinline long dig(long level)
{
	struct mark mark = { level, MAGIC + level, &mark };

	barrier_data(&mark);
	if (level % EVERY == 0) {
		if (!CST_EQ(0, costack_defer(undo, &mark)))
			return 0;
		seen.next = level;
	}
	if (READ_ONCE(forever))
		level += dig(level + 1);
	barrier_data(&mark);
	return level + mark.level;
}

static int dig_body(void *arg)
{
	return dig(0);
}

static int forty_two(void *arg)
{
	return 42;
}

static void check_abort(const struct costack_attr *attr)
{
	memset(&seen, 0, sizeof(seen));
	CST_EQ(-EOVERFLOW, costack_call_attr(attr, dig_body, NULL));
	CST_TRUE(seen.ran > 2);
	CST_EQ(-EVERY, seen.next);
	CST_EQ(false, seen.bad);
	CST_EQ(42, costack_call(forty_two, NULL));
}

static void abort_at_limit(const long *args)
{
	struct costack_attr attr = {
		.name = "abort", .stack_limit = args[0], .flags = COSTACK_ABORTABLE,
	};
	long round;

	for (round = 0; round < args[1] && !cst_failures(); round++)
		check_abort(&attr);
}

static void abort_pinned(const long *args)
{
	struct costack_attr attr = {
		.stack_limit = args[0], .flags = COSTACK_ABORTABLE | COSTACK_PINNED,
	};

	check_abort(&attr);
}

/* === Nested === */

static int nested_body(void *arg)
{
	struct costack_attr attr = { .stack_limit = 8192, .flags = COSTACK_ABORTABLE };
	struct mark mark = { 7, MAGIC, &mark };

	barrier_data(&mark);
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, dig_body, NULL));
	barrier_data(&mark);
	CST_EQ(7, mark.level);
	CST_TRUE(mark.self == &mark);
	return 43;
}

static void abort_nested(const long *args)
{
	memset(&seen, 0, sizeof(seen));
	CST_EQ(43, costack_call(nested_body, NULL));
	CST_EQ(-EVERY, seen.next);
	CST_EQ(false, seen.bad);
}

/* === Not here, but later === */

static int in_atomic_frame(void *arg)
{
	unsigned long room[64] __uninitialized;

	barrier_data(room);
	memset(room, 0x5a, sizeof(room));
	barrier_data(room);
	return memchr_inv(room, 0x5a, sizeof(room)) ? -EINVAL : 0;
}

static int beyond_body(void *arg)
{
	int ret;

	CST_EQ(8192, costack_stack_size());
	preempt_disable();
	ret = cst_call_with_left(32, in_atomic_frame, NULL);
	preempt_enable();
	CST_EQ(0, ret);
	CST_EQ(3 * PAGE_SIZE, costack_stack_size());
	return arg ? dig(0) : 52;
}

static void abort_beyond(const long *args)
{
	struct costack_attr attr = {
		.stack_first = 8192, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};

	memset(&seen, 0, sizeof(seen));
	CST_EQ(52, costack_call_attr(&attr, beyond_body, NULL));
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, beyond_body, &attr));
	CST_EQ(-EVERY, seen.next);
	CST_EQ(false, seen.bad);
}

/* === Always in the kernel === */

struct holder {
	struct holder	*up;
	void		*object;
};

static long held, freed;

static void let_go(void *arg)
{
	struct holder *holder = arg;

	freed += !!holder->object;
	kfree(holder->object);
}

/* kmalloc() and costack_defer() go deeper than the frame of the next level. */
static noinline int hold(struct holder *up)
{
	struct holder here = { .up = up };
	int ret = costack_defer(let_go, &here);

	if (ret)
		return ret;
	here.object = kmalloc(64, GFP_KERNEL);
	if (!here.object)
		return -ENOMEM;
	held++;
	ret = READ_ONCE(forever) ? hold(&here) : 0;
	barrier_data(&here);
	return ret;
}

static int hold_body(void *arg)
{
	return hold(NULL);
}

static void abort_kernel(const long *args)
{
	struct costack_attr attr = {
		.name = "abort-kernel", .stack_limit = args[0], .flags = COSTACK_ABORTABLE,
	};

	held = 0;
	freed = 0;
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, hold_body, NULL));
	CST_TRUE(held > 2);
	CST_EQ(held, freed);
	CST_EQ(42, costack_call(forty_two, NULL));
}

/* === Always with the lock of a channel === */

/* More than there are levels, so that each send finds a receiver that waits. */
#define RECEIVERS	1200

static struct costack_chan *chan;
static long send_how;

static int send_level(long level)
{
	struct costack_select_case to = COSTACK_SEND(chan, &level);

	switch (send_how) {
	case 0:
		return costack_chan_send(chan, &level);
	case 1:
		return costack_chan_send_timeout(chan, &level, HZ);
	default:
		return costack_select(&to, 1);
	}
}

static int receive_one(void *arg)
{
	long value;

	return costack_chan_recv(chan, &value);
}

/* What a send does under the lock goes deeper than the next level. */
static noinline int pass_on(long level)
{
	int ret = send_level(level);

	if (!ret && level + 1 < RECEIVERS)
		ret = pass_on(level + 1);
	barrier_data(&level);
	return ret;
}

static int pass_on_body(void *arg)
{
	return pass_on(0);
}

static void abort_chan(const long *args)
{
	struct costack_attr attr = {
		.name = "abort-chan", .stack_limit = args[0], .flags = COSTACK_ABORTABLE,
	};
	struct cst_group *receivers;
	long parked = cst_parked();
	unsigned int i, served = 0;

	send_how = args[1];
	chan = costack_chan_create(sizeof(long), 0);
	if (!CST_TRUE(chan))
		return;
	receivers = cst_items_new(RECEIVERS, false, receive_one, NULL, NULL);
	if (receivers && cst_items_start(receivers) &&
	    CST_SOON(cst_parked() == parked + RECEIVERS))
		CST_EQ(-EOVERFLOW, costack_call_attr(&attr, pass_on_body, NULL));
	costack_chan_close(chan);
	if (!receivers || !CST_JOIN(receivers))
		return;
	/* Which of them are the first in the queue is open. */
	for (i = 0; i < RECEIVERS; i++) {
		served += !receivers->item[i].ret;
		CST_TRUE(!receivers->item[i].ret || receivers->item[i].ret == -EPIPE);
	}
	CST_TRUE(served > 0 && served < RECEIVERS);
	cst_items_free(receivers);
	costack_chan_destroy(chan);
}

/* === In a wait that a cancel does not end === */

/* It has never been queued, so the wait for it is short. */
static struct costack_work idle_item;

static noinline int wait_deep(long level)
{
	int ret = costack_wait(&idle_item);

	if (READ_ONCE(forever))
		ret = wait_deep(level + 1);
	barrier_data(&level);
	return ret;
}

static void receive_in_defer(void *arg)
{
	long value;

	CST_EQ(-ECANCELED, costack_chan_recv(chan, &value));
}

static int wait_deep_body(void *arg)
{
	CST_EQ(0, costack_defer(receive_in_defer, NULL));
	return wait_deep(0);
}

static void abort_waiting(const long *args)
{
	struct costack_attr attr = { .stack_limit = 8192, .flags = COSTACK_ABORTABLE };
	long parked = cst_parked();
	struct cst_group *group;

	costack_work_init(&idle_item, dig_body, NULL, NULL);
	chan = costack_chan_create(sizeof(long), 0);
	group = cst_items_new(1, false, wait_deep_body, NULL, &attr);
	if (CST_TRUE(chan) && group && cst_items_start(group)) {
		CST_SOON(cst_parked() == parked + 1);
		CST_EQ(0, costack_cancel(&group->item[0].work));
	}
	if (group && CST_FINISH(group, -EOVERFLOW))
		costack_chan_destroy(chan);
}

/* Bytes beyond the limit that the compare function uses. */
static long callback_bytes;

static int compare(const void *a, const void *b)
{
	cst_use_stack(8192 - costack_stack_used() + callback_bytes);
	return *(const long *)a - *(const long *)b;
}

static int callback_body(void *arg)
{
	long numbers[] = { 3, 1, 2 };
	size_t size = costack_stack_size();

	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare, NULL);
	CST_EQ(123, numbers[0] * 100 + numbers[1] * 10 + numbers[2]);
	CST_TRUE(costack_stack_size() > size);
	return arg ? dig(0) : 53;
}

/* It goes on afterwards, and is cut off where that is possible. */
static void abort_callback(const long *args)
{
	struct costack_attr attr = {
		.stack_first = 8192, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};

	memset(&seen, 0, sizeof(seen));
	callback_bytes = args[0];
	CST_EQ(53, costack_call_attr(&attr, callback_body, NULL));
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, callback_body, &attr));
	CST_EQ(-EVERY, seen.next);
	CST_EQ(false, seen.bad);
}

static long tight_ended;

static void need_room(void *arg)
{
	cst_use_stack(1500);
	tight_ended++;
}

static int tight_body(void *arg)
{
	CST_EQ(0, costack_defer(need_room, NULL));
	CST_EQ(0, costack_defer(need_room, NULL));
	return dig(1);
}

static int nearly_full_body(void *arg)
{
	return cst_call_with_left(704, tight_body, NULL);
}

static void abort_tight(const long *args)
{
	struct costack_attr attr = {
		.stack_first = 8192, .stack_limit = 8192, .flags = COSTACK_ABORTABLE,
	};

	memset(&seen, 0, sizeof(seen));
	tight_ended = 0;
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, nearly_full_body, NULL));
	CST_EQ(2, tight_ended);
}

/* === Defers, and how they end === */

static long order;

/* Append a digit to the order in which the defers ran. */
static void note_digit(void *arg)
{
	order = order * 10 + (long)arg;
}

static void dig_in_defer(void *arg)
{
	note_digit(arg);
	dig(1);
}

static int register_three(costack_defer_fn_t second)
{
	CST_EQ(0, costack_defer(note_digit, (void *)1));
	CST_EQ(0, costack_defer(second, (void *)2));
	CST_EQ(0, costack_defer(note_digit, (void *)3));
	return 44;
}

static int defer_digging_body(void *arg)
{
	return register_three(dig_in_defer);
}

static void abort_in_defer(const long *args)
{
	struct costack_attr attr = { .stack_limit = 16384, .flags = COSTACK_ABORTABLE };

	memset(&seen, 0, sizeof(seen));
	order = 0;
	CST_EQ(-EOVERFLOW, costack_call_attr(&attr, defer_digging_body, NULL));
	CST_EQ(321, order);
	CST_TRUE(seen.ran > 2);
	CST_EQ(0, seen.next);
}

static int defer_body(void *arg)
{
	CST_EQ(-EINVAL, costack_defer(NULL, NULL));
	return register_three(note_digit);
}

static int defer_on_host(void *arg)
{
	return costack_defer(note_digit, NULL);
}

static int misuse_body(void *arg)
{
	return costack_on_host(defer_on_host, NULL);
}

static void defers(const long *args)
{
	order = 0;
	CST_EQ(44, costack_call(defer_body, NULL));
	CST_EQ(321, order);
	CST_EQ(-EINVAL, costack_defer(note_digit, (void *)4));
	CST_EQ(-EINVAL, costack_call(misuse_body, NULL));
	CST_EQ(321, order);
}

static const struct cst_case cases[] = {
	{ "abort", abort_at_limit },
	{ "abort-pinned", abort_pinned },
	{ "abort-nested", abort_nested },
	{ "abort-in-defer", abort_in_defer },
	{ "abort-beyond", abort_beyond },
	{ "abort-callback", abort_callback },
	{ "abort-kernel", abort_kernel },
	{ "abort-chan", abort_chan },
	{ "abort-waiting", abort_waiting },
	{ "abort-tight", abort_tight },
	{ "defer", defers },
	{ }
};

struct cst_suite cst_abort = { .owner = THIS_MODULE, .cases = cases };
