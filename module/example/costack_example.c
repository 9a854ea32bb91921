// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a module that calls costack. A coroutine counts down a recursion that
 * an ordinary kernel stack has no room for, waits for it in module_init, and says
 * what became of its stack:
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
 * struct level - what a level of the recursion knows
 * @up: the level that called it; on the same stack, so that a move adjusts it
 * @number: levels above it
 */
struct level {
	const struct level	*up;
	unsigned int		number;
};

/* Goes back over all levels, each on the stack that has grown meanwhile. */
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

/* Runs on a coroutine stack; its result is what costack_wait() returns. */
static int example(void *unused)
{
	const struct level top = { };

	return descend(&top);
}

static int __init example_init(void)
{
	/*
	 * Who loads the module is a user's process, which costack_call() refuses: a work
	 * item runs in a thread of the kernel's. A coroutine with COSTACK_ABORTABLE ends
	 * with -EOVERFLOW where it exceeds its limit, and the machine lives on.
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
		pr_err("%u levels: failed with %d\n", levels, ret);
	kfree(work);
	return ret < 0 ? ret : 0;
}

/* Without module_exit() it could not be unloaded. No coroutine lives any more. */
static void __exit example_exit(void)
{
}

module_init(example_init);
module_exit(example_exit);

/* No address of a local is kept but on the stack itself: see <linux/costack.h>. */
MODULE_COSTACK_MOVABLE();
MODULE_DESCRIPTION("Example of a module that calls costack");
MODULE_LICENSE("GPL");
