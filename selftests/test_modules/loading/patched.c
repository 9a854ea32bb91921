// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that wait, and are patched while they do; see costack_test_patch.c.
 *
 *	patched CALLED RESULT HOLD	what the function returns, when .../test/release is
 *					written; with HOLD it holds its thread until then
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "items.h"
#include "patched.h"

/* The function holds its thread while it waits. */
static bool on_host;

/**
 * cst_wait_released() - wait until .../test/release is written
 *
 * Context: Coroutine stack.
 * Return: 0, or a negative errno of costack_sleep().
 */
int cst_wait_released(void)
{
	long err = 0;

	if (READ_ONCE(on_host)) {
		/* The script sees that it is here when it has parked. */
		err = costack_sleep(1);
		return err < 0 ? err : cst_hold_until(&cst_release);
	}
	while (err >= 0 && !completion_done(&cst_release))
		err = costack_sleep(HZ / 20);
	return err < 0 ? err : 0;
}
EXPORT_SYMBOL_GPL(cst_wait_released);

/**
 * cst_fetch() - what is patched
 * @old: what to return
 *
 * Context: Coroutine stack.
 * Return: @old, or a negative errno of costack_sleep().
 */
noinline int cst_fetch(int old)
{
	return cst_wait_released() ?: old;
}

static int fetch_body(void *arg)
{
	return cst_fetch(41);
}

static void patched(const long *args)
{
	struct cst_group *group = cst_items_new(1, args[0], fetch_body, NULL, NULL);

	WRITE_ONCE(on_host, args[2]);
	if (!group || !cst_items_start(group))
		return;
	/* Without the limit of CST_PATIENCE: the script ends it. */
	wait_for_completion(&cst_release);
	CST_FINISH(group, args[1]);
}

static const struct cst_case cases[] = {
	{ "patched", patched },
	{ }
};

struct cst_suite cst_patched = { .owner = THIS_MODULE, .cases = cases };
