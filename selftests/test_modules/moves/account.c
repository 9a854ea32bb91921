// SPDX-License-Identifier: GPL-2.0
/*
 * Work items that are charged to a memory cgroup.
 *
 *	account-full ITEMS	queued by a process whose group has no room for so many: those
 *				that were queued wait and end, and the next one is refused
 */
#include <linux/kernel.h>
#include <linux/mm.h>

#include "items.h"
#include "kept.h"

static int wait_body(void *arg)
{
	struct kept kept;
	int err;

	keep(&kept, (unsigned long)arg);
	err = costack_park();
	CST_TRUE(is_kept(&kept, (unsigned long)arg));
	return err;
}

static void account_full(const long *args)
{
	static const struct costack_attr attr = { .flags = COSTACK_PACK | COSTACK_ACCOUNT };
	struct costack_work *work = kvcalloc(args[0], sizeof(*work), GFP_KERNEL);
	long nr, i;
	int err = 0;

	if (!CST_TRUE(work))
		return;
	for (nr = 0; nr < args[0]; nr++) {
		costack_work_init(&work[nr], wait_body, &work[nr], &attr);
		err = costack_queue(&work[nr]);
		if (err)
			break;
	}
	CST_EQ(-ENOMEM, err);
	CST_TRUE(nr > 0);
	CST_SOON(cst_parked() == nr);
	for (i = 0; i < nr; i++)
		CST_EQ(0, costack_cancel(&work[i]));
	for (i = 0; i < nr; i++)
		CST_EQ(-ECANCELED, costack_wait(&work[i]));
	kvfree(work);
}

static const struct cst_case cases[] = {
	{ "account-full", account_full, .in_writer = true },
	{ }
};

struct cst_suite cst_account = { .owner = THIS_MODULE, .cases = cases };
