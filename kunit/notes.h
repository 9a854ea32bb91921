/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a function on a coroutine stack notes down, for its caller to check: see fixture.h.
 */
#ifndef _COSTACK_KUNIT_NOTES_H
#define _COSTACK_KUNIT_NOTES_H

#include <kunit/test.h>

#include <linux/costack.h>

/**
 * struct notes - what a function on a coroutine stack has seen
 * @calls: how often it was called
 * @co: costack_current()
 * @sp: its stack pointer
 * @ret: what its calls returned, in order
 * @size: costack_stack_size()
 * @left: costack_stack_left()
 * @used: costack_stack_used()
 */
struct notes {
	unsigned int	calls;
	struct costack	*co;
	unsigned long	sp;
	int		ret[8];
	size_t		size;
	size_t		left;
	size_t		used;
};

static struct notes *make_notes(struct kunit *test)
{
	struct notes *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	return n;
}

static void note(struct notes *n)
{
	n->calls++;
	n->co = costack_current();
	n->sp = current_stack_pointer;
	n->size = costack_stack_size();
	n->left = costack_stack_left();
	n->used = costack_stack_used();
}

static int take_notes(void *arg)
{
	note(arg);
	return 42;
}

static int ask_for_4_pages(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_ensure(3 * PAGE_SIZE);
	note(n);
	return 0;
}

#endif /* _COSTACK_KUNIT_NOTES_H */
