// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd: work items that are packed and wait. Other rows are run beside it, to see whether
 * their cost depends on how many others wait.
 *
 *	wake_all	all of the crowd is woken, and runs to its end
 *	wake_plain	the same, of a crowd that waits in four frames, on stacks
 *	wake_packed	the same crowd, packed: the difference is what unpacking takes
 *	pack_all	such a crowd is packed by the control file
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "../test_modules/compat.h"
#include "bench.h"
#include "kept.h"

/* One of the crowd. */
struct member {
	struct costack_work	work;
	struct costack		*co;
};

static struct member *crowd;
static unsigned int nr_members;
static atomic_t nr_parked;

static int wait_in_crowd(void *arg)
{
	struct member *member = arg;
	struct kept kept;

	keep(&kept, (unsigned long)arg);
	WRITE_ONCE(member->co, costack_current());
	atomic_inc(&nr_parked);
	return costack_park() ?: is_kept(&kept, (unsigned long)arg) ? 0 : -EIO;
}

/* The frames of wait_deep(), each with something that it keeps. */
#define FRAMES	4

static noinline int wait_below(struct member *member, unsigned int frames)
{
	struct kept kept;
	int err;

	if (!frames)
		return costack_park();
	keep(&kept, frames);
	err = wait_below(member, frames - 1);
	return err ?: is_kept(&kept, frames) ? 0 : -EIO;
}

static int wait_deep(void *arg)
{
	struct member *member = arg;

	WRITE_ONCE(member->co, costack_current());
	atomic_inc(&nr_parked);
	return wait_below(member, FRAMES - 1);
}

static s64 dismiss(void)
{
	s64 start = bench_now(), end;
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr_members; i++)
		costack_unpark(crowd[i].co);
	for (i = 0; i < nr_members; i++)
		err = costack_wait(&crowd[i].work) ?: err;
	end = bench_now();
	kvfree(crowd);
	crowd = NULL;
	nr_members = 0;
	return err ?: end - start;
}

static int gather(unsigned int count, costack_fn_t fn, unsigned int flags)
{
	const struct costack_attr attr = { .flags = flags };
	int err = 0;

	crowd = kvcalloc(count, sizeof(*crowd), GFP_KERNEL);
	if (!crowd)
		return -ENOMEM;
	atomic_set(&nr_parked, 0);
	for (; nr_members < count; nr_members++) {
		struct member *member = &crowd[nr_members];

		costack_work_init(&member->work, fn, member, &attr);
		err = costack_queue(&member->work);
		if (err)
			break;
	}
	while (atomic_read(&nr_parked) < nr_members)
		schedule_timeout_uninterruptible(1);
	/* The last one has said so, and has yet to park. */
	schedule_timeout_uninterruptible(HZ / 10);
	if (err)
		dismiss();
	return err;
}

/**
 * bench_crowd() - have so many packed items that wait
 * @count: how many; those that there are end first
 *
 * Context: Process context; may sleep. One caller at a time.
 * Return: 0, -ENOMEM, or -EIO if one of the last crowd did not find what it had kept.
 */
int bench_crowd(unsigned int count)
{
	s64 ret = dismiss();

	if (ret < 0 || !count)
		return min(ret, 0LL);
	return gather(count, wait_in_crowd, COSTACK_PACK);
}

static s64 wake_all(unsigned int count)
{
	return count == nr_members ? dismiss() : -EINVAL;
}

static s64 wake_deep(unsigned int count, unsigned int flags)
{
	return nr_members ? -EBUSY : gather(count, wait_deep, flags) ?: dismiss();
}

static s64 wake_plain(unsigned int count)
{
	return wake_deep(count, 0);
}

static s64 wake_packed(unsigned int count)
{
	return wake_deep(count, COSTACK_PACK);
}

static s64 pack_all(unsigned int count)
{
	struct file *file;
	s64 start, ret;
	loff_t pos = 0;

	ret = nr_members ? -EBUSY : gather(count, wait_deep, 0);
	if (ret)
		return ret;
	file = cst_open("/sys/kernel/costack/pack", O_WRONLY);
	if (IS_ERR(file)) {
		dismiss();
		return PTR_ERR(file);
	}
	start = bench_now();
	ret = kernel_write(file, "1", 1, &pos);
	ret = ret < 0 ? ret : bench_now() - start;
	filp_close(file, NULL);
	return min(dismiss(), 0LL) ?: ret;
}

const struct bench_row bench_crowd_rows[] = {
	{ "wake_all", wake_all, 10, true },
	{ "wake_plain", wake_plain, 1000 },
	{ "wake_packed", wake_packed, 1000 },
	{ "pack_all", pack_all, 1000 },
	{ }
};
