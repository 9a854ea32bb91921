// SPDX-License-Identifier: GPL-2.0
/*
 * A data race on purpose, which KCSAN must report: see kcsan-race.sh.
 *
 *	race ROUNDS	a coroutine on one CPU and a thread on another count with one plain
 *			variable
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "costack_test.h"

static unsigned long contested;

static noinline int race_on_purpose(void *arg)
{
	long i, rounds = *(const long *)arg;

	for (i = 0; i < rounds; i++) {
		contested++;
		barrier();
	}
	return 0;
}

static int as_coroutine(void *arg)
{
	return costack_call(race_on_purpose, arg);
}

static void run_race(const long *args)
{
	static const costack_fn_t how[] = { race_on_purpose, as_coroutine };
	struct cst_thread threads[ARRAY_SIZE(how)];
	long rounds = args[0];
	unsigned int i;

	/* races.awk searches for this line. */
	pr_info("costack_test: a race on purpose at 0x%lx\n", (unsigned long)&contested);
	for (i = 0; i < ARRAY_SIZE(how); i++)
		if (!CST_EQ(0, cst_thread_start(&threads[i], i, how[i], &rounds)))
			break;
	while (i--) {
		wait_for_completion(&threads[i].done);
		CST_EQ(0, threads[i].ret);
	}
}

static const struct cst_case cases[] = {
	{ "race", run_race },
	{ }
};

struct cst_suite cst_race = { .owner = THIS_MODULE, .cases = cases };
