// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of one that waits: a work item, parked or packed; a blocked kernel thread.
 *
 * costack keeps what an earlier round has freed, and reuses it unseen: so each of these is
 * measured once after costack was loaded. The kernel keeps page tables of addresses that
 * were in use before, whether costack was unloaded meanwhile or not: they count only in the
 * first round after a boot that needs them.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "bench.h"
#include "free_pages.h"

static DECLARE_WAIT_QUEUE_HEAD(gate);
static bool gate_is_open;
static atomic_t waiting;

static long free_bytes(void)
{
	return cst_free_pages() * PAGE_SIZE;
}

static void open_gate(void)
{
	WRITE_ONCE(gate_is_open, true);
	wake_up_all(&gate);
}

/* Bytes that all of them use, once they wait. */
static s64 used_since(long before, unsigned int count)
{
	while (atomic_read(&waiting) < count)
		schedule_timeout_uninterruptible(1);
	/* The last of them has said so, and has yet to go to sleep. */
	schedule_timeout_uninterruptible(HZ / 10);
	return before - free_bytes();
}

static int item_fn(void *arg)
{
	atomic_inc(&waiting);
	return costack_wait_event(gate, READ_ONCE(gate_is_open));
}

static s64 bytes_waiting(unsigned int count, const struct costack_attr *attr)
{
	struct costack_work *work = kvcalloc(count, sizeof(*work), GFP_KERNEL);
	unsigned int i, nr;
	s64 used = -ENOMEM;
	long before;

	if (!work)
		return used;
	WRITE_ONCE(gate_is_open, false);
	atomic_set(&waiting, 0);
	/* The items themselves count: every user has one for each. */
	before = free_bytes() + PAGE_ALIGN(count * sizeof(*work));
	for (nr = 0; nr < count; nr++) {
		costack_work_init(&work[nr], item_fn, NULL, attr);
		if (costack_queue(&work[nr]))
			break;
	}
	if (nr == count)
		used = used_since(before, count);
	open_gate();
	for (i = 0; i < nr; i++)
		costack_wait(&work[i]);
	kvfree(work);
	return used;
}

static s64 bytes_parked(unsigned int count)
{
	return bytes_waiting(count, NULL);
}

static s64 bytes_packed(unsigned int count)
{
	static const struct costack_attr packs = { .flags = COSTACK_PACK };

	return bytes_waiting(count, &packs);
}

static int thread_fn(void *unused)
{
	atomic_inc(&waiting);
	wait_event_idle(gate, kthread_should_stop());
	return 0;
}

static s64 bytes_kthread(unsigned int count)
{
	struct task_struct **task = kvcalloc(count, sizeof(*task), GFP_KERNEL);
	long before = free_bytes();
	unsigned int i, nr;
	s64 used = -ENOMEM;

	if (!task)
		return used;
	atomic_set(&waiting, 0);
	for (nr = 0; nr < count; nr++) {
		task[nr] = kthread_run(thread_fn, NULL, "costack_parked");
		if (IS_ERR(task[nr]))
			break;
	}
	if (nr == count)
		used = used_since(before, count);
	for (i = 0; i < nr; i++)
		kthread_stop(task[i]);
	kvfree(task);
	return used;
}

const struct bench_row bench_memory_rows[] = {
	{ "bytes_parked", bytes_parked, 10000, true },
	{ "bytes_packed", bytes_packed, 10000, true },
	{ "bytes_kthread", bytes_kthread, 10000, true },
	{ }
};
