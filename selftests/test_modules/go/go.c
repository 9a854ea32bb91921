// SPDX-License-Identifier: GPL-2.0
/* The counterparts of Go's go statement, panic and runtime.GC(): see go.h. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "go.h"
#include "items.h"

/**
 * go_run() - run a function as a work item, and wait (Go's go statement)
 * @work: the item; go_run() fills it in. Afterwards it has the number of growths
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
 * go_use_stack_and_call() - use some stack, then call a function (Go's useStackAndCall)
 * @bytes: bytes of stack to use before the call; up to 600 more may be used
 * @fn: what to call there
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
 * go_panic() - have the coroutine cut off (Go's panic)
 *
 * A single frame exceeds the limit, so the stack does not grow before it. The unwinder's
 * tables cannot describe a frame of more than 32 KiB.
 *
 * Context: Stack of a coroutine that is %COSTACK_ABORTABLE, and has a limit of at most
 * GO_PANIC_LIMIT bytes or is so deep that the frame exceeds its limit. Does not return.
 */
noinline void go_panic(void)
{
	char room[24 << 10] __uninitialized;

	WRITE_ONCE(room[0], 0);
	barrier_data(room);
	/* Only a coroutine with a larger limit gets this far. */
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
 * @value: what to write; must not be on a coroutine stack, which may move
 *
 * Context: Any stack; may sleep. A failed write fails the case.
 */
void go_set_knob(const char *name, const char *value)
{
	struct knob_write write = { name, value };

	CST_EQ(0, costack_on_host(write_knob, &write));
}

/**
 * go_gc() - shrink stacks that are too large, as Go's runtime.GC() does
 *
 * Context: Any stack; may sleep.
 */
void go_gc(void)
{
	go_set_knob("shrink", "1");
}

/**
 * go_wait_parked() - wait until work items are parked
 * @nr: number of items to wait for; no other item may be parked
 *
 * Context: Host stack; may sleep.
 * Return: true; false if it takes too long, and then the case has failed.
 */
bool go_wait_parked(long nr)
{
	return CST_SOON(cst_stat("parked") == nr);
}
