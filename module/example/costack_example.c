// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a module that calls costack. module_init runs a coroutine, whose recursion
 * is too deep for an ordinary kernel stack, waits for it, and logs how its stack has grown:
 *
 *	modprobe costack
 *	insmod costack_example.ko levels=1000
 *	dmesg | tail -n 1
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>

#include <linux/costack.h>

static unsigned int levels = 1000;
module_param(levels, uint, 0444);
MODULE_PARM_DESC(levels, "how deep to recurse; some 2000 fit into 64 KiB");

/**
 * struct level - one level of the recursion
 * @up: the level that called this one; it lies on the same stack, so a move adjusts @up
 * @number: how many levels are above this one
 */
struct level {
	const struct level	*up;
	unsigned int		number;
};

/* Walks back over all levels. They lie on the stack, which has grown meanwhile. */
static int count(const struct level *level)
{
	unsigned int n = 0;

	for (; level->up; level = level->up) {
		if (level->number != level->up->number + 1)
			return -EIO;
		n++;
	}
	return n;
}

static noinline int descend(const struct level *up)
{
	struct level here = { .up = up, .number = up->number + 1 };

	if (here.number > levels)
		return count(up);
	return descend(&here);
}

/* Runs on a coroutine stack. costack_wait() returns its result. */
static int example(void *unused)
{
	const struct level top = { };

	return descend(&top);
}

static int __init example_init(void)
{
	/*
	 * A user process loads the module, and costack_call() refuses user processes. A work
	 * item runs in a kernel thread instead. A coroutine with COSTACK_ABORTABLE that
	 * exceeds its limit ends with -EOVERFLOW, and the machine survives.
	 */
	static const struct costack_attr attr = {
		.name	= "example",
		.flags	= COSTACK_ABORTABLE,
	};
	struct costack_work *work;
	int ret;

	work = kmalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return -ENOMEM;
	costack_work_init(work, example, NULL, &attr);
	ret = costack_queue(work);
	if (!ret)
		ret = costack_wait(work);
	if (ret >= 0)
		pr_info("%d levels, %u bytes of stack, grown %u times\n", ret, work->deepest,
			work->growths);
	else
		pr_err("%u levels: failed with %pe\n", levels, ERR_PTR(ret));
	kfree(work);
	return ret < 0 ? ret : 0;
}

/* The module cannot be unloaded without module_exit(). No coroutine is left by now. */
static void __exit example_exit(void)
{
}

module_init(example_init);
module_exit(example_exit);

/* Addresses of locals are kept only on the stack itself: see <linux/costack.h>. */
MODULE_COSTACK_MOVABLE();
MODULE_DESCRIPTION("Example of a module that calls costack");
MODULE_LICENSE("GPL");
