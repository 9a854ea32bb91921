// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd: coroutines that wait, to see how much memory each takes, and that each finds its
 * locals again:
 *
 *	crowd		how many wait. Write a number to have so many wait, and 0 to wake them:
 *			that returns when all have ended
 *	crowd_lost	how many of the last crowd did not find in their locals what they had
 *			kept there, or could not wait
 *
 * A write to crowd returns -EBUSY if there is a crowd already. While there is one, it holds the
 * module.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait.h>

#include <linux/costack.h>

#include "crowd.h"

/* Protects what follows, but @over. */
static DEFINE_MUTEX(lock);
static struct costack_work *members;
static unsigned int nr_members, nr_lost;

static DECLARE_WAIT_QUEUE_HEAD(queue);
static bool over;

/* What it keeps: a number of its own, and the address of that. */
static int wait_in_crowd(void *arg)
{
	unsigned long nr = (struct costack_work *)arg - members, square = nr * nr, *at = &square;
	int err;

	OPTIMIZER_HIDE_VAR(at);
	err = costack_wait_event(queue, READ_ONCE(over));
	if (err)
		return err;
	return at == &square && *at == nr * nr ? 0 : -EIO;
}

/* Those that could not be queued are lost. */
static int gather(unsigned int count)
{
	int err = 0;

	members = kvcalloc(count, sizeof(*members), GFP_KERNEL);
	if (!members)
		return -ENOMEM;
	WRITE_ONCE(over, false);
	while (nr_members < count && !err) {
		struct costack_work *member = &members[nr_members];

		costack_work_init(member, wait_in_crowd, member, NULL);
		err = costack_queue(member);
		nr_members += !err;
	}
	nr_lost = count - nr_members;
	return err;
}

static void dismiss(void)
{
	unsigned int i;

	WRITE_ONCE(over, true);
	wake_up_all(&queue);
	for (i = 0; i < nr_members; i++)
		nr_lost += !!costack_wait(&members[i]);
	kvfree(members);
	members = NULL;
	nr_members = 0;
}

static ssize_t crowd_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(nr_members));
}

static ssize_t crowd_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	unsigned int number;
	int err = 0;

	if (strlen(buf) != count || kstrtouint(buf, 0, &number))
		return -EINVAL;
	mutex_lock(&lock);
	if (!number)
		dismiss();
	else if (members)
		err = -EBUSY;
	else
		err = gather(number);
	mutex_unlock(&lock);
	return err ?: count;
}

static ssize_t crowd_lost_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(nr_lost));
}

struct kobj_attribute crowd_attr = __ATTR_RW(crowd);
struct kobj_attribute crowd_lost_attr = __ATTR_RO(crowd_lost);
