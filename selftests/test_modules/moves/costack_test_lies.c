// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_lies: promises that its text is movable, and breaks that promise. With poison,
 * force_move and unmap each case ends in a report; selftests/vm/crashes.txt has what it says.
 *
 *	lie-list	a list entry on the stack, linked from a list elsewhere
 *	lie-read	the address of a local in a static variable, to read
 *	lie-write	the same, to write
 *	lie-disguise	the address of a local in a local, in a form that does not
 *			look like one
 *	lie-thread	another thread has the address
 *	lie-old		an address from several moves ago
 *	lie-packed	an address that was read from a packed stack
 *	truth		the same things done in an allowed way; passes
 *
 * scripts/coccinelle/escape.cocci finds these in source: a line that it must find
 * is marked "escapes".
 */
#include <linux/device/driver.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "items.h"

#define MAGIC	0x7472757468L

/**
 * struct local - what lies on the coroutine stack
 * @link: in a list that others look at
 * @magic: MAGIC
 */
struct local {
	struct list_head	link;
	long			magic;
};

static LIST_HEAD(others);
static struct local *kept;

static long sum_of_others(void)
{
	struct local *local;
	long sum = 0;

	list_for_each_entry(local, &others, link)
		sum += local->magic;
	return sum;
}

/* Any call would do: with force_move it moves the stack. */
static void move(void)
{
	CST_EQ(0, costack_yield());
}

/*
 * Has the stack been unmapped that @kept points into? If the thread has slept or was
 * preempted on it, that happens later (module/left.c): then try the next one.
 */
static bool has_gone(void)
{
	static int stayed;
	long word;

	if (copy_from_kernel_nofault(&word, &kept->magic, sizeof(word))) {
		stayed = 0;
		return true;
	}
	return !CST_TRUE(++stayed < 1000);
}

static int list_body(void *arg)
{
	struct local local = { .magic = MAGIC };

	do {
		INIT_LIST_HEAD(&others);
		list_add(&local.link, &others); /* escapes */
		kept = &local; /* escapes */
		move();
	} while (!has_gone());
	CST_EQ(MAGIC, sum_of_others());
	return 0;
}

static int read_body(void *arg)
{
	struct local local = { .magic = MAGIC };

	do {
		kept = &local; /* escapes */
		move();
	} while (!has_gone());
	CST_EQ(MAGIC, kept->magic);
	return 0;
}

static int write_body(void *arg)
{
	struct local local = { .magic = MAGIC };

	do {
		kept = &local; /* escapes */
		move();
	} while (!has_gone());
	kept->magic = 0;
	CST_EQ(0, local.magic);
	return 0;
}

/* The checker sees it: not moved. */
static int disguise_body(void *arg)
{
	struct local local = { .magic = MAGIC };
	unsigned long disguised = ~(unsigned long)&local; /* escapes */

	OPTIMIZER_HIDE_VAR(disguised);
	move();
	/* The compiler must not undo the disguise before the move. */
	asm volatile("" : "+r" (disguised) : : "memory");
	CST_EQ(MAGIC, ((struct local *)~disguised)->magic);
	return 0;
}

static int read_kept(void *arg)
{
	return CST_EQ(MAGIC, kept->magic);
}

static int thread_body(void *arg)
{
	struct local local = { .magic = MAGIC };

	do {
		kept = &local; /* escapes */
		move();
	} while (!has_gone());
	CST_EQ(1, cst_thread_run(CST_ANY_CPU, read_kept, NULL));
	return 0;
}

static int old_body(void *arg)
{
	struct local local = { .magic = MAGIC };
	int i;

	do {
		kept = &local; /* escapes */
		move();
	} while (!has_gone());
	for (i = 0; i < 4; i++)
		move();
	CST_EQ(MAGIC, kept->magic);
	return 0;
}

/* Tracked; and what it points to while the item has not been packed. */
static struct local **local_of_packed;
static unsigned long not_packed;

static int packed_body(void *arg)
{
	struct local local = { .magic = MAGIC }, *at = &local;

	CST_EQ(0, costack_track(&local_of_packed));
	not_packed = cst_disguise(at);
	WRITE_ONCE(local_of_packed, &at);
	CST_EQ(0, costack_park());
	CST_EQ(0, costack_untrack(&local_of_packed));
	return CST_EQ(MAGIC, at->magic);
}

static int truth_body(void *arg)
{
	struct local local = { .magic = MAGIC };

	CST_EQ(0, costack_track(&kept));
	kept = &local;
	move();
	CST_EQ(MAGIC, kept->magic);
	CST_TRUE(kept == &local);
	CST_EQ(0, costack_untrack(&kept));

	CST_EQ(0, costack_pin());
	list_add(&local.link, &others);
	move();
	CST_EQ(MAGIC, sum_of_others());
	list_del(&local.link);
	CST_EQ(0, costack_unpin());
	move();
	return 0;
}

static void tell(const char *name, costack_fn_t fn)
{
	struct costack_attr attr = { .name = name };

	cst_knob("poison", "1");
	cst_knob("force_move", "1");
	cst_knob("unmap", "1");
	CST_EQ(0, costack_call_attr(&attr, fn, NULL));
	cst_knob("unmap", "0");
	cst_knob("force_move", "0");
	cst_knob("poison", "0");
}

#define LIE(name)							\
static void lie_##name(const long *args)				\
{									\
	tell("lie-" #name, name##_body);				\
}

LIE(list);
LIE(read);
LIE(write);
LIE(disguise);
LIE(thread);
LIE(old);

/* A tracked pointer finds what is packed, but not what that points to. */
static void lie_packed(const long *args)
{
	static const struct costack_attr attr = { .name = "lie-packed", .flags = COSTACK_PACK };
	static struct costack_work work;

	costack_work_init(&work, packed_body, NULL, &attr);
	if (!CST_EQ(0, costack_queue(&work)))
		return;
	while (!READ_ONCE(local_of_packed) || cst_disguise(*local_of_packed) == not_packed)
		msleep(20);
	CST_EQ(MAGIC, (*local_of_packed)->magic);
}

static void truth(const long *args)
{
	tell("truth", truth_body);
}

static const struct cst_case cases[] = {
	{ "lie-list", lie_list },
	{ "lie-read", lie_read },
	{ "lie-write", lie_write },
	{ "lie-disguise", lie_disguise },
	{ "lie-thread", lie_thread },
	{ "lie-old", lie_old },
	{ "lie-packed", lie_packed },
	{ "truth", truth },
	{ }
};

static struct cst_suite suite = { .owner = THIS_MODULE, .cases = cases };

module_driver(suite, cst_register, cst_unregister);

MODULE_COSTACK_MOVABLE();
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack with text that only says that it is movable");
