// SPDX-License-Identifier: GPL-2.0
/*
 * What stands for go, panic and runtime.GC() of Go: see go.h.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "go.h"

/**
 * go_run() - run a function as a work item, and wait (Go's go statement)
 * @work: is filled in; tells how often the stack grew
 * @attr: how to run it, or %NULL
 * @fn: what to run
 * @arg: its argument
 *
 * Context: Host stack; may sleep.
 * Return: what @fn returned, or a negative errno of costack_queue().
 */
int go_run(struct costack_work *work, const struct costack_attr *attr, costack_fn_t fn,
	   void *arg)
{
	int err;

	costack_work_init(work, fn, arg, attr);
	err = costack_queue(work);
	return err ?: costack_wait(work);
}

/**
 * go_use_stack_and_call() - use so much stack and call (Go's useStackAndCall)
 * @bytes: of stack to use; up to 600 more are used
 * @fn: what to call down there
 * @arg: its argument
 *
 * Context: Any stack with that much room.
 * Return: what @fn returned.
 */
noinline int go_use_stack_and_call(long bytes, costack_fn_t fn, void *arg)
{
	char room[448] __uninitialized;
	int ret;

	WRITE_ONCE(room[0], 0);
	if (bytes > 0)
		ret = go_use_stack_and_call(bytes - (long)sizeof(room), fn, arg);
	else
		ret = fn(arg);
	barrier_data(room);
	return ret;
}

/**
 * go_panic() - be cut off (Go's panic)
 *
 * One frame beyond the limit, so that the stack is left as small as it is. The
 * unwinder's tables end at 32 KiB.
 *
 * Context: Coroutine stack of at most GO_PANIC_LIMIT bytes, or so deep that the
 * frame goes over its limit; %COSTACK_ABORTABLE. Does not return.
 */
noinline void go_panic(void)
{
	char room[24 << 10] __uninitialized;

	WRITE_ONCE(room[0], 0);
	barrier_data(room);
	/* Only a coroutine with a larger limit gets here. */
	CST_TRUE(false);
}

struct knob_write {
	const char	*name;
	const char	*value;
};

static int write_knob(void *arg)
{
	const struct knob_write *write = arg;
	size_t len = strlen(write->value);
	struct file *file;
	char path[64];
	loff_t pos = 0;
	ssize_t done;

	snprintf(path, sizeof(path), "/sys/kernel/costack/%s", write->name);
	file = cst_open(path, O_WRONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	done = kernel_write(file, write->value, len, &pos);
	filp_close(file, NULL);
	return done == len ? 0 : -EIO;
}

/**
 * go_set_knob() - write to a file of /sys/kernel/costack/, as a user would
 * @name: the file
 * @value: what to write; not on a coroutine stack, which may move
 *
 * Context: Any stack; may sleep. What cannot be written fails the case.
 */
void go_set_knob(const char *name, const char *value)
{
	struct knob_write write = { name, value };

	CST_EQ(0, costack_on_host(write_knob, &write));
}

/**
 * go_gc() - have large stacks shrink (what Go's runtime.GC() does to stacks)
 *
 * Context: Any stack; may sleep.
 */
void go_gc(void)
{
	go_set_knob("shrink", "1");
}

/**
 * go_wait_parked() - wait until work items are parked
 * @nr: so many, and no other
 *
 * Context: Host stack; may sleep.
 * Return: false, and the case has failed, if it takes too long.
 */
bool go_wait_parked(long nr)
{
	int i;

	for (i = 0; i < 20000 && cst_stat("parked") != nr; i++)
		usleep_range(100, 200);
	return CST_EQ(nr, cst_stat("parked"));
}
