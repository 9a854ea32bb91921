// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_fixed: cases whose text is not movable, as this module does not
 * promise it with MODULE_COSTACK_MOVABLE(). Their stacks grow in place only.
 *
 *	fixed LEVELS	recurse; the address of no local may change
 *	fixed-middle	a frame that is not movable between movable ones
 *	fixed-ensure	the same at a safe point
 */
#include <linux/device/driver.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "costack_test.h"

/**
 * struct level - a frame, as it was seen from within
 * @address: of this struct, in disguise, so that it would not follow a move
 * @depth: frames below it
 */
struct level {
	unsigned long	address;
	long		depth;
};

static noinline int descend(long depth)
{
	struct level level = { cst_disguise(&level), depth };
	int bad = 0;

	barrier_data(&level);
	if (depth)
		bad = descend(depth - 1);
	barrier_data(&level);
	return bad + (cst_disguise(&level) != level.address || level.depth != depth);
}

static int descend_body(void *arg)
{
	int bad = descend((long)arg);

	CST_TRUE(costack_current());
	return bad;
}

static void fixed(const long *args)
{
	CST_EQ(0, costack_call(descend_body, (void *)args[0]));
}

static int middle_body(void *arg)
{
	struct level level = { cst_disguise(&level), 0 };

	barrier_data(&level);
	/* Movable text from here down, and the fault there. */
	cst_use_stack(60000);
	CST_TRUE(cst_disguise(&level) == level.address);
	return 0;
}

static void fixed_middle(const long *args)
{
	CST_EQ(0, costack_call(middle_body, NULL));
}

static int ensure_body(void *arg)
{
	struct level level = { cst_disguise(&level), 0 };

	barrier_data(&level);
	CST_EQ(0, costack_ensure(60000));
	CST_TRUE(costack_stack_left() >= 60000 - 128);
	CST_TRUE(cst_disguise(&level) == level.address);
	return 0;
}

static void fixed_ensure(const long *args)
{
	CST_EQ(0, costack_call(ensure_body, NULL));
}

static const struct cst_case cases[] = {
	{ "fixed", fixed },
	{ "fixed-middle", fixed_middle },
	{ "fixed-ensure", fixed_ensure },
	{ }
};

static struct cst_suite suite = { .owner = THIS_MODULE, .cases = cases };

module_driver(suite, cst_register, cst_unregister);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack with text that may not be moved");
