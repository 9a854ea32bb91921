// SPDX-License-Identifier: GPL-2.0
/*
 * More packed items than there could be stacks.
 *
 *	pack-million ITEMS CANCEL	all wait, packed; each checks what it has kept when it is
 *				woken. With CANCEL, each third one is cancelled before that
 *
 * An item here is a struct costack_work and nothing else.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "items.h"
#include "kept.h"

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;

static struct costack_work *crowd;

static int wait_in_crowd(void *arg)
{
	unsigned long seed = (struct costack_work *)arg - crowd;
	struct kept kept;
	int err;

	keep(&kept, seed);
	err = costack_wait_event(gate, READ_ONCE(gate_is_open));
	CST_TRUE(is_kept(&kept, seed));
	return err ?: 42;
}

/* Until no more are packed: how long a million takes is the machine's affair. */
static void await_packed(long items)
{
	long packed = -1, before;

	do {
		before = packed;
		CST_SOON((packed = cst_stat("packed_now")) > before);
	} while (packed < items && !cst_failures());
	CST_EQ(items, packed);
}

/* Each third one was packed when it was cancelled, and the gate is still shut. */
static void cancel_a_third(long items)
{
	long i;

	for (i = 0; i < items; i += 3)
		CST_EQ(0, costack_cancel(&crowd[i]));
	for (i = 0; i < items; i += 3)
		CST_EQ(-ECANCELED, costack_wait(&crowd[i]));
}

static void pack_million(const long *args)
{
	static const struct costack_attr attr = { .flags = COSTACK_PACK };
	long items = args[0], nr, i;

	crowd = kvcalloc(items, sizeof(*crowd), GFP_KERNEL);
	if (!CST_TRUE(crowd))
		return;
	WRITE_ONCE(gate_is_open, false);
	for (nr = 0; nr < items; nr++) {
		costack_work_init(&crowd[nr], wait_in_crowd, &crowd[nr], &attr);
		if (!CST_EQ(0, costack_queue(&crowd[nr])))
			break;
	}
	await_packed(nr);
	CST_SOON(cst_parked() == nr);
	if (args[1])
		cancel_a_third(nr);
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
	for (i = 0; i < nr; i++)
		if (!args[1] || i % 3)
			CST_EQ(42, costack_wait(&crowd[i]));
	CST_EQ(0, cst_stat("packed_now"));
	kvfree(crowd);
}

static const struct cst_case cases[] = {
	{ "pack-million", pack_million },
	{ }
};

struct cst_suite cst_million = { .owner = THIS_MODULE, .cases = cases };
