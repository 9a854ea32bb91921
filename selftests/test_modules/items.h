/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coroutines of a case: they are started together, waited for with a time limit, and named
 * if they hang. They run as work items or by costack_call() in a kernel thread each; their
 * function sees no difference.
 */
#ifndef _COSTACK_TEST_ITEMS_H
#define _COSTACK_TEST_ITEMS_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "costack_test.h"

/*
 * After this time without progress something hangs. It is no measure of speed: the machine may be
 * emulated, and shared.
 */
#define CST_PATIENCE	(120 * HZ)

/**
 * struct cst_item - one coroutine
 * @work: runs it, unless a thread does
 * @thread: runs it, unless a worker does
 * @group: what it belongs to
 * @nr: its number in there, from 0
 * @ret: how it ended; valid after cst_items_join()
 * @co: the coroutine, for the code that wakes it; set by its function
 * @count: progress; set by its function, and shown when it hangs
 */
struct cst_item {
	struct costack_work	work;
	struct cst_thread	thread;
	struct cst_group	*group;
	unsigned int		nr;
	int			ret;
	struct costack		*co;
	long			count;
};

/**
 * struct cst_group - the coroutines of a case; never on a coroutine stack
 * @fn: what they run; its argument is the item
 * @data: what they share
 * @attr: how they are run
 * @called: by costack_call(), and not as work items
 * @nr: how many
 * @started: how many of them have been started
 * @joined: how many have been seen to end, in the order of their numbers
 * @hangs: some did not end, so the group must not be freed
 * @joiner: waits for them
 * @item: the coroutines
 */
struct cst_group {
	costack_fn_t		fn;
	void			*data;
	struct costack_attr	attr;
	bool			called;
	unsigned int		nr;
	unsigned int		started;
	unsigned int		joined;
	bool			hangs;
	struct cst_thread	joiner;
	struct cst_item		item[];
};

struct cst_group *cst_items_new(unsigned int nr, bool called, costack_fn_t fn, void *data,
				const struct costack_attr *attr);
bool cst_items_start(struct cst_group *group);
bool cst_items_join(struct cst_group *group, const char *func, int line);
void cst_items_free(struct cst_group *group);
bool cst_items_finish(struct cst_group *group, int expected, const char *func, int line);

/* Wait for all, within CST_PATIENCE; returns whether they have ended. */
#define CST_JOIN(group)	cst_items_join(group, __func__, __LINE__)
/* The same; check that each returned @expected, and free them. */
#define CST_FINISH(group, expected) cst_items_finish(group, expected, __func__, __LINE__)

/* Wait for a condition that somebody else makes true, and check it. */
#define CST_UNTIL(cond, text, relax)					\
({									\
	unsigned long __end = jiffies + CST_PATIENCE;			\
	bool __is;							\
									\
	while (!(__is = !!(cond)) && time_before(jiffies, __end))	\
		relax;							\
	cst_equal(__func__, __LINE__, text, 1, __is);			\
})

/* In a thread. */
#define CST_SOON(cond)	CST_UNTIL(cond, #cond, usleep_range(100, 300))
/* On a coroutine stack, without leaving the thread. */
#define CST_SPIN(cond)	CST_UNTIL(cond, #cond, cst_relax())

int cst_hold_until(struct completion *done);
bool cst_nobody_waits(struct wait_queue_head *queue);
void cst_relax(void);
void cst_spin_usecs(unsigned int usecs);
pid_t cst_pid(void);
int cst_cpu(void);
long cst_parked(void);
int cst_write_file(const char *path, const char *text);
void cst_knob(const char *name, const char *value);

#endif /* _COSTACK_TEST_ITEMS_H */
