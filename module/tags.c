// SPDX-License-Identifier: GPL-2.0
/*
 * Tags: what walks over parked coroutines have found out about a wait, for as long as it lasts.
 *
 * A tagged coroutine has a certain handler in its request. Each park stores a handler, and nobody
 * calls it once the coroutine is parked. take_next() hands a thread over only to a coroutine with
 * the handler of an ordinary park, and leaves any other to the host loop, which resumes it. So a
 * coroutine that parks again has lost its tags, and they cost nothing at a park or a hand-over.
 */
#include <linux/compiler.h>

#include "coroutine.h"
#include "tags.h"

static enum costack_next tagged(struct costack *co)
{
	return COSTACK_CONTINUE;
}

/* One of the two words has no use in a call, and the other one none in a work item. */
static u32 *word_of(struct costack *co)
{
	return co->work ? &co->looked : &co->gen;
}

/**
 * costack_tags() - what is known about the wait of a coroutine
 * @co: parked; a guess, unless the caller has claimed it
 *
 * Context: Any. @co is not freed meanwhile.
 * Return: its tags; 0: it has none.
 */
u32 costack_tags(const struct costack *co)
{
	return READ_ONCE(co->req.handler) == tagged ? READ_ONCE(*word_of((struct costack *)co)) : 0;
}

/**
 * costack_tag() - add tags to the wait of a coroutine
 * @co: switched out, and nobody else may run it
 * @tags: the tags; 0: only see that the host loop resumes @co
 *
 * Context: Any.
 */
void costack_tag(struct costack *co, u32 tags)
{
	WRITE_ONCE(*word_of(co), costack_tags(co) | tags | COSTACK_TAG_ANY);
	WRITE_ONCE(co->req.handler, tagged);
}
