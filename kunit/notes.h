/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What functions on a coroutine stack note down, for their caller to check: see fixture.h.
 */
#ifndef _COSTACK_KUNIT_NOTES_H
#define _COSTACK_KUNIT_NOTES_H

#include <kunit/test.h>

#include <linux/costack.h>

/**
 * struct notes - what functions on a coroutine stack have seen
 * @calls: how often notes were taken; of the last time are:
 * @co: costack_current()
 * @sp: the stack pointer
 * @size: costack_stack_size()
 * @left: costack_stack_left()
 * @used: costack_stack_used()
 * @ret: what calls have returned, in order
 * @log: a letter for each event
 * @len: number of letters in @log
 */
struct notes {
	unsigned int	calls;
	struct costack	*co;
	unsigned long	sp;
	size_t		size;
	size_t		left;
	size_t		used;
	int		ret[8];
	char		log[8];
	unsigned int	len;
};

static inline struct notes *make_notes(struct kunit *test)
{
	struct notes *n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, n);
	return n;
}

static inline void note(struct notes *n)
{
	n->calls++;
	n->co = costack_current();
	n->sp = current_stack_pointer;
	n->size = costack_stack_size();
	n->left = costack_stack_left();
	n->used = costack_stack_used();
}

static inline int take_notes(void *arg)
{
	note(arg);
	return 42;
}

static inline int ask_for_4_pages(void *arg)
{
	struct notes *n = arg;

	n->ret[0] = costack_ensure(3 * PAGE_SIZE);
	note(n);
	return 0;
}

#endif /* _COSTACK_KUNIT_NOTES_H */
