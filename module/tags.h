/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tags: what walks over parked coroutines have found out about a wait, for as long as it lasts.
 */
#ifndef _COSTACK_TAGS_H
#define _COSTACK_TAGS_H

#include <linux/bits.h>
#include <linux/types.h>

struct costack;

/* It was parked when age.c last came across it. */
#define COSTACK_TAG_OLD		BIT(0)
/* age.c has tried to pack it in vain. */
#define COSTACK_TAG_KEPT	BIT(1)
/* stuck.c has reported it, or never will. */
#define COSTACK_TAG_TOLD	BIT(2)
/* When stuck.c first came across it, in seconds; 0: it has not. */
#define COSTACK_TAG_SINCE	GENMASK(30, 3)
/* Set in each: so it is never the number of a look, see called.c. */
#define COSTACK_TAG_ANY		BIT(31)

u32 costack_tags(const struct costack *co);
void costack_tag(struct costack *co, u32 tags);

#endif /* _COSTACK_TAGS_H */
