/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which functions of work items have held their workers.
 */
#ifndef _COSTACK_HELD_H
#define _COSTACK_HELD_H

#include <linux/types.h>

struct costack_host;
struct task_struct;

/* Functions with an entry of their own; the others share one, the last. */
#define COSTACK_HELD_FUNCTIONS	128U

/**
 * struct costack_held - how often and how long a function has held its worker
 * @fn: the function; %NULL: all functions that found no room
 * @times: how often
 * @total: how long in all, in jiffies
 * @longest: how long at most, in jiffies
 * @told: the log has a trace of it
 */
struct costack_held {
	const void	*fn;
	unsigned long	times;
	unsigned long	total;
	unsigned long	longest;
	bool		told;
};

/**
 * struct costack_hold - that a coroutine holds its worker now
 * @entry: that of its function; %NULL: none holds it, or it is not known which
 * @since: when this was noticed, in jiffies
 * @counted: until when it is counted in @entry, in jiffies
 */
struct costack_hold {
	struct costack_held	*entry;
	unsigned long		since;
	unsigned long		counted;
};

void costack_held_look(struct costack_hold *hold, const struct costack_host *host,
		       struct task_struct *task);
bool costack_held_get(unsigned int i, struct costack_held *copy);
void costack_held_forget(unsigned long start, unsigned long end);
void costack_held_flush(void);

#endif /* _COSTACK_HELD_H */
