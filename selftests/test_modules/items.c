// SPDX-License-Identifier: GPL-2.0
/*
 * Coroutines of a case, and what else the suites of work items share.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "items.h"

/* === Coroutines === */

/**
 * cst_items_new() - make coroutines that are not started yet
 * @nr: how many
 * @called: run each by costack_call() in a thread, and not as a work item
 * @fn: what they run; its argument is its struct cst_item
 * @data: what they share
 * @attr: how to run them, or %NULL
 *
 * Context: Process context; may sleep.
 * Return: the group, or %NULL, and the case has failed.
 */
struct cst_group *cst_items_new(unsigned int nr, bool called, costack_fn_t fn, void *data,
				const struct costack_attr *attr)
{
	struct cst_group *group = kvzalloc(struct_size(group, item, nr), GFP_KERNEL);
	unsigned int i;

	if (!CST_TRUE(group))
		return NULL;
	group->fn = fn;
	group->data = data;
	if (attr)
		group->attr = *attr;
	group->called = called;
	group->nr = nr;
	for (i = 0; i < nr; i++) {
		struct cst_item *item = &group->item[i];

		item->group = group;
		item->nr = i;
		costack_work_init(&item->work, fn, item, attr);
	}
	return group;
}

static int call_item(void *arg)
{
	struct cst_item *item = arg;

	return costack_call_attr(&item->group->attr, item->group->fn, item);
}

/**
 * cst_items_start() - start all of a group
 * @group: from cst_items_new()
 *
 * Context: Process context; may sleep.
 * Return: whether all were started; those that were are to be joined.
 */
bool cst_items_start(struct cst_group *group)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < group->nr && !err; i++) {
		struct cst_item *item = &group->item[i];

		if (group->called)
			err = cst_thread_start(&item->thread, CST_ANY_CPU, call_item, item);
		else
			err = costack_queue(&item->work);
		if (!err)
			group->started++;
	}
	return CST_EQ(0, err);
}

static int join_all(void *arg)
{
	struct cst_group *group = arg;

	while (group->joined < group->started) {
		struct cst_item *item = &group->item[group->joined];

		if (group->called) {
			wait_for_completion(&item->thread.done);
			item->ret = item->thread.ret;
		} else {
			item->ret = costack_wait(&item->work);
		}
		WRITE_ONCE(group->joined, group->joined + 1);
	}
	return 0;
}

static unsigned long progress(const struct cst_group *group)
{
	unsigned long sum = READ_ONCE(group->joined);
	unsigned int i;

	for (i = 0; i < group->nr; i++)
		/* The item may change it at any time: any value is good enough. */
		sum += data_race(group->item[i].count);
	return sum;
}

/* Wait for the joiner as long as there is progress, but not for ever. */
static bool wait_for_joiner(struct cst_group *group)
{
	unsigned long before, now = progress(group);

	do {
		if (wait_for_completion_timeout(&group->joiner.done, CST_PATIENCE))
			return true;
		before = now;
		now = progress(group);
	} while (now != before);
	return false;
}

/* The text that reports a hang; it is read after the case has ended. */
static char who[128];

/**
 * cst_items_join() - wait for all that were started
 * @group: from cst_items_new()
 * @func: who waits
 * @line: where
 *
 * A coroutine that hangs fails the case, which reports its number, and is cancelled. If it
 * still does not end, the case ends without it.
 *
 * Context: Process context; may sleep.
 * Return: whether they have ended by themselves.
 */
bool cst_items_join(struct cst_group *group, const char *func, int line)
{
	unsigned int i;
	long count;

	if (!CST_EQ(0, cst_thread_start(&group->joiner, CST_ANY_CPU, join_all, group)))
		goto hangs;
	if (wait_for_joiner(group))
		return true;
	i = READ_ONCE(group->joined);
	/* As in progress(). */
	count = data_race(group->item[i].count);
	snprintf(who, sizeof(who), "%ps %u of %u hangs at %ld", group->fn, i, group->nr, count);
	cst_fail(func, line, who, 0, 1);
	for (; !group->called && i < group->started; i++)
		costack_cancel(&group->item[i].work);
	if (wait_for_completion_timeout(&group->joiner.done, CST_PATIENCE))
		return false;
hangs:
	group->hangs = true;
	return false;
}

/**
 * cst_items_free() - free a group
 * @group: not started, or joined; %NULL is allowed
 *
 * Context: Process context; may sleep.
 */
void cst_items_free(struct cst_group *group)
{
	if (group && !group->hangs)
		kvfree(group);
}

/**
 * cst_items_finish() - join a group, check what each returned, and free it
 * @group: from cst_items_new()
 * @expected: what each is to return
 * @func: who waits
 * @line: where
 *
 * Context: Process context; may sleep.
 * Return: whether all is as expected.
 */
bool cst_items_finish(struct cst_group *group, int expected, const char *func, int line)
{
	bool good = cst_items_join(group, func, line);
	unsigned int i;

	for (i = 0; good && i < group->started; i++)
		good = cst_equal(func, line, "what an item returned", expected,
				 group->item[i].ret);
	cst_items_free(group);
	return good;
}

static int wait_on_host(void *done)
{
	wait_for_completion(done);
	return 0;
}

/**
 * cst_hold_until() - hold the thread until a completion
 * @done: the completion
 *
 * costack_wait_for_completion() would leave the thread.
 *
 * Context: Any stack, process context; may sleep.
 * Return: 0.
 */
int cst_hold_until(struct completion *done)
{
	return costack_on_host(wait_on_host, done);
}

/**
 * cst_nobody_waits() - is a wait queue empty
 * @queue: nobody may be added to it meanwhile
 *
 * Context: Any.
 * Return: true if it is.
 */
bool cst_nobody_waits(struct wait_queue_head *queue)
{
	/* Everybody who waited has ended, so no memory barrier is needed. */
	return !waitqueue_active(queue);
}

/* === Time, thread and CPU === */

/**
 * cst_relax() - wait a little for another CPU, and let other threads run here
 *
 * Context: Any stack, process context.
 */
void cst_relax(void)
{
	cpu_relax();
	cond_resched();
}

/**
 * cst_spin_usecs() - keep the CPU busy
 * @usecs: for so long
 *
 * Context: Any.
 */
void cst_spin_usecs(unsigned int usecs)
{
	u64 end = ktime_get_ns() + usecs * NSEC_PER_USEC;

	while (ktime_get_ns() < end)
		cpu_relax();
}

/**
 * cst_pid() - the thread that runs the caller
 *
 * The compiler assumes that "current" is constant within a function, so a function that
 * parks must not read it directly.
 *
 * Context: Any stack.
 * Return: its id.
 */
noinline pid_t cst_pid(void)
{
	barrier();
	return current->pid;
}

/**
 * cst_cpu() - the CPU that runs the caller
 *
 * Context: Any.
 * Return: its number; it may be another one by the time that it is used.
 */
noinline int cst_cpu(void)
{
	barrier();
	return raw_smp_processor_id();
}

/* === Files === */

/**
 * cst_parked() - how many coroutines of work items wait
 *
 * Context: Process context; may sleep.
 * Return: the number, at this moment.
 */
long cst_parked(void)
{
	return cst_stat("parked");
}

/**
 * cst_write_file() - write a file, as echo does
 * @path: its path
 * @text: what to write
 *
 * Context: Thread; may sleep.
 * Return: 0, or a negative errno.
 */
int cst_write_file(const char *path, const char *text)
{
	struct file *file = cst_open(path, O_WRONLY);
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return ret < 0 ? ret : 0;
}

/**
 * cst_knob() - set a knob of costack
 * @name: its file in /sys/kernel/costack/
 * @value: what to write; a value that is refused fails the case
 *
 * Context: Thread; may sleep.
 */
void cst_knob(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/costack/%s", name);
	CST_EQ(0, cst_write_file(path, value));
}
EXPORT_SYMBOL_GPL(cst_knob);
