/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness of the test modules: cases by name, and what they may check.
 *
 * A case runs in a kernel thread of its own when its name is written to
 * /sys/kernel/costack/test/run, and ends before that write returns. Code on a
 * coroutine stack may not end its thread, so a check that fails is recorded and
 * the case goes on; ../result tells the first of them.
 */
#ifndef _COSTACK_TEST_H
#define _COSTACK_TEST_H

#include <linux/completion.h>
#include <linux/costack.h>
#include <linux/list.h>
#include <linux/types.h>

#include "compat.h"

struct module;

#define CST_MAX_ARGS	4

/**
 * struct cst_case - something that can be written to run
 * @name: its first word
 * @fn: what it does; the numbers that follow the name are in @args, then zeros
 * @in_writer: run it in the writing process and not in a kernel thread
 */
struct cst_case {
	const char	*name;
	void		(*fn)(const long *args);
	bool		in_writer;
};

/**
 * struct cst_suite - the cases of one file
 * @owner: module that they are in; held while one of them runs
 * @cases: ends with an entry without a name
 * @link: in the list of all suites
 */
struct cst_suite {
	struct module		*owner;
	const struct cst_case	*cases;
	struct list_head	link;
};

int cst_register(struct cst_suite *suite);
void cst_unregister(struct cst_suite *suite);

extern struct cst_suite cst_deep, cst_first, cst_frames, cst_abort, cst_roots, cst_api, cst_lost,
			cst_bytes, cst_kernel, cst_park, cst_waitq, cst_resume, cst_storms,
			cst_chan, cst_select, cst_cancel, cst_shrink, cst_pack, cst_waiting,
			cst_sweep, cst_scarce, cst_million, cst_pack_storm, cst_account, cst_numa,
			cst_fuzz, cst_exceptions, cst_nmi, cst_hooks, cst_handover,
			cst_race, cst_nest, cst_observers, cst_waits, cst_held, cst_threads,
			cst_plugs, cst_movable, cst_patched, cst_watched, cst_locks, cst_groups,
			cst_completions, cst_stuck;
extern struct cst_suite cst_go_stack, cst_go_move, cst_go_defer, cst_go_chan,
			cst_go_select;

/* === Checks: on any stack, in any context === */

void cst_fail(const char *func, int line, const char *what, long expected, long got);

static inline bool cst_equal(const char *func, int line, const char *what,
			     long expected, long got)
{
	if (likely(expected == got))
		return true;
	cst_fail(func, line, what, expected, got);
	return false;
}

/* Both return whether the check has passed. */
#define CST_EQ(expected, got) \
	cst_equal(__func__, __LINE__, #got, (long)(expected), (long)(got))
#define CST_TRUE(cond) \
	cst_equal(__func__, __LINE__, #cond, 1, !!(cond))

long cst_failures(void);
void cst_skip(const char *what);
bool cst_two_cpus(int *here, int *there);

/*
 * Check the number of growths. With KASAN or KCSAN an interrupt takes more stack than a
 * growth leaves to spare, and may cause further ones.
 */
static inline bool cst_grown(const char *func, int line, const char *what, long expected,
			     long got)
{
	bool more = IS_ENABLED(CONFIG_KASAN_STACK) || IS_ENABLED(CONFIG_KCSAN);
	bool added = more && got > expected && got <= expected + 2;

	return cst_equal(func, line, what, expected, added ? expected : got);
}

#define CST_GROWN(expected, got) \
	cst_grown(__func__, __LINE__, #got, expected, got)

/* === Threads === */

/**
 * struct cst_thread - a kernel thread to be waited for
 * @done: it has ended
 * @fn: what it runs
 * @arg: argument of @fn
 * @ret: what @fn returned
 */
struct cst_thread {
	struct completion	done;
	costack_fn_t		fn;
	void			*arg;
	int			ret;
};

/* No CPU in particular. */
#define CST_ANY_CPU	-1

int cst_thread_start(struct cst_thread *thread, int cpu, costack_fn_t fn, void *arg);
int cst_thread_run(int cpu, costack_fn_t fn, void *arg);

/* === What costack says, and where the stack is === */

long cst_read_stat(const char *name);
long cst_stat(const char *name);
unsigned long cst_stack_lo(void);

u64 cst_deadline(unsigned int msecs);
unsigned long cst_disguise(const void *address);
void cst_use_stack(long bytes);
void cst_outgrow(void);
long cst_overflow(void);
int cst_chain(void *frames);

/* Completed by a write to .../test/release. */
extern struct completion cst_release;

/* A timer on every CPU, every so many microseconds; 0: none. */
int cst_storm(unsigned int usecs);

/* === at.S === */

/**
 * struct cst_spin - a wait with the stack pointer at a chosen place
 * @armed: set to 1 once the stack pointer is there
 * @received: counts what is waited for
 * @seen: what *@watch was before
 * @deadline: give up when the time stamp counter has come this far
 * @watch: wait for this to change: @received, or another counter
 */
struct cst_spin {
	u32	armed;
	u32	received;
	u32	seen;
	u64	deadline;
	u32	*watch;
};

asmlinkage int cst_call_at(unsigned long sp, costack_fn_t fn, void *arg);
asmlinkage int cst_with_frame(size_t bytes, int (*fn)(unsigned long *words, size_t bytes));
asmlinkage void cst_spin_at(unsigned long sp, struct cst_spin *spin);
asmlinkage void cst_enable_at(unsigned long sp, struct cst_spin *spin);
int cst_call_on(unsigned long sp, costack_fn_t fn, void *arg);
int cst_call_with_left(size_t left, costack_fn_t fn, void *arg);

#endif /* _COSTACK_TEST_H */
