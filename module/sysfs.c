// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/costack/: one value per file; only root may write.
 *
 *	policy		copy or inplace: how to grow a stack that may be moved
 *	verify		orc, both or scan: how to decide whether a stack may be moved
 *	stack_min	initial size of a stack, in bytes
 *	stack_max	maximal size of a stack, in bytes
 *	adaptive_start	0 or 1: start a stack with the size that its function has needed before
 *	poison		0 or 1: fill stacks with 0xfd, 0xfb, 0xfc around a move
 *	force_move	0 or 1: move at each call that goes to the host stack, to find code that
 *			must not be moved
 *	force_pack	0 or 1: pack the items that are queued from now on at each park
 *	pack_after	seconds: pack what has been parked for that long; 0: never
 *	stuck_after	seconds: report what has been parked for that long; 0: never
 *	trace_held	0 or 1: for each function, print the call in which an item is first seen
 *			asleep with its worker
 *	unmap		0 or 1: unmap the stack that a move at an API call, a shrink or a pack
 *			has left, to find code that kept an address of it
 *	workers		1 to 64: kworkers that run coroutines; more may run while some of
 *			them are held up
 *	max_items	how many unfinished work items each module may have; 0: any number
 *	cancel		write the name of a module: cancel its work items
 *	show_items	write the name of a module: print its work items to the log
 *	shrink		write 1: move parked stacks that are too large
 *	pack		write 1: pack the stacks of parked work items
 *	stats/		counters, read only; stacks_SIZE: stacks that exist
 *
 * A write of a bad value returns -EINVAL and changes nothing; a name that cancel or show_items does
 * not find gives -ENOENT. Module parameters of the same names set the initial values of the knobs.
 */
#include <linux/export.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <linux/costack.h>

#include "age.h"
#include "arena.h"
#include "first.h"
#include "items.h"
#include "pool.h"
#include "runner.h"
#include "show.h"
#include "stats.h"
#include "stuck.h"
#include "sysfs.h"
#include "work.h"

struct kobject *costack_kobj;
EXPORT_SYMBOL_GPL(costack_kobj);

/* Keeps stack_min <= stack_max while one of them is being set. */
static DEFINE_MUTEX(knobs_lock);

/* === Knobs === */

static const char * const policy_names[] = {
	[COSTACK_POLICY_COPY]		= "copy",
	[COSTACK_POLICY_INPLACE]	= "inplace",
};

static int set_policy(const char *value)
{
	int policy = sysfs_match_string(policy_names, value);

	if (policy < 0)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.policy, policy);
	return 0;
}

static ssize_t show_policy(char *buf)
{
	return sysfs_emit(buf, "%s\n", policy_names[READ_ONCE(costack_knobs.policy)]);
}

static const char * const verify_names[] = {
	[COSTACK_VERIFY_ORC]		= "orc",
	[COSTACK_VERIFY_BOTH]		= "both",
	[COSTACK_VERIFY_SCAN]		= "scan",
};

static int set_verify(const char *value)
{
	int verify = sysfs_match_string(verify_names, value);

	if (verify < 0)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.verify, verify);
	return 0;
}

static ssize_t show_verify(char *buf)
{
	return sysfs_emit(buf, "%s\n", verify_names[READ_ONCE(costack_knobs.verify)]);
}

/* Parse a size in bytes. Returns its pages, or 0 if it is not one of the size classes. */
static unsigned int parse_size(const char *value)
{
	unsigned long bytes;

	if (kstrtoul(value, 0, &bytes) || bytes < PAGE_SIZE ||
	    bytes > COSTACK_MAX_PAGES * PAGE_SIZE || !is_power_of_2(bytes))
		return 0;
	return bytes / PAGE_SIZE;
}

static int set_stack_min(const char *value)
{
	unsigned int pages = parse_size(value);

	if (!pages || pages > costack_knobs.stack_max)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.stack_min, pages);
	return 0;
}

static ssize_t show_stack_min(char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(costack_knobs.stack_min) * PAGE_SIZE);
}

static int set_stack_max(const char *value)
{
	unsigned int pages = parse_size(value);

	if (!pages || pages < costack_knobs.stack_min)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.stack_max, pages);
	return 0;
}

static ssize_t show_stack_max(char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(costack_knobs.stack_max) * PAGE_SIZE);
}

/* Words for "on" have an odd index. kstrtobool() would only check the first letter. */
static const char * const bool_words[] = { "0", "1", "n", "y", "N", "Y" };

static int set_bool(bool *knob, const char *value)
{
	int word = sysfs_match_string(bool_words, value);

	if (word < 0)
		return -EINVAL;
	WRITE_ONCE(*knob, word % 2);
	return 0;
}

static int set_adaptive_start(const char *value)
{
	int err = set_bool(&costack_knobs.adaptive_start, value);

	if (!err && !costack_knobs.adaptive_start)
		costack_first_forget_all();
	return err;
}

static ssize_t show_adaptive_start(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.adaptive_start));
}

static int set_poison(const char *value)
{
	return set_bool(&costack_knobs.poison, value);
}

static ssize_t show_poison(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.poison));
}

static int set_force_move(const char *value)
{
	int err = set_bool(&costack_knobs.force_move, value);

	if (!err)
		WRITE_ONCE(costack_knobs.force_gen, costack_knobs.force_gen + 1);
	return err;
}

static ssize_t show_force_move(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.force_move));
}

static int set_force_pack(const char *value)
{
	return set_bool(&costack_knobs.force_pack, value);
}

static ssize_t show_force_pack(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.force_pack));
}

static int set_pack_after(const char *value)
{
	unsigned int seconds;

	if (kstrtouint(value, 0, &seconds) || seconds > COSTACK_MAX_PACK_AFTER)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.pack_after, seconds);
	costack_age_set();
	return 0;
}

static ssize_t show_pack_after(char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(costack_knobs.pack_after));
}

static int set_stuck_after(const char *value)
{
	unsigned int seconds;

	if (kstrtouint(value, 0, &seconds) || seconds > COSTACK_MAX_STUCK_AFTER)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.stuck_after, seconds);
	costack_stuck_set();
	return 0;
}

static ssize_t show_stuck_after(char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(costack_knobs.stuck_after));
}

static int set_trace_held(const char *value)
{
	return set_bool(&costack_knobs.trace_held, value);
}

static ssize_t show_trace_held(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.trace_held));
}

static int set_unmap(const char *value)
{
	return set_bool(&costack_knobs.unmap, value);
}

static ssize_t show_unmap(char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(costack_knobs.unmap));
}

static int set_max_items(const char *value)
{
	unsigned int items;

	if (kstrtouint(value, 0, &items))
		return -EINVAL;
	WRITE_ONCE(costack_knobs.max_items, items);
	return 0;
}

static ssize_t show_max_items(char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(costack_knobs.max_items));
}

static int set_workers(const char *value)
{
	unsigned int workers;

	if (kstrtouint(value, 0, &workers) || !workers || workers > COSTACK_MAX_WORKERS)
		return -EINVAL;
	WRITE_ONCE(costack_knobs.workers, workers);
	return 0;
}

static ssize_t show_workers(char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(costack_knobs.workers));
}

/**
 * struct knob - a setting
 * @attr: its file
 * @set: parse and set the value; returns 0 or -EINVAL; called under knobs_lock
 * @show: print the value
 */
struct knob {
	struct kobj_attribute	attr;
	int			(*set)(const char *value);
	ssize_t			(*show)(char *buf);
};

static ssize_t knob_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return container_of(attr, struct knob, attr)->show(buf);
}

static ssize_t knob_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	int err;

	/* Refuse a value with a zero byte: strings end there. */
	if (strlen(buf) != count)
		return -EINVAL;
	mutex_lock(&knobs_lock);
	err = container_of(attr, struct knob, attr)->set(buf);
	mutex_unlock(&knobs_lock);
	return err ?: count;
}

#define KNOB(_name) {							\
	.attr	= __ATTR(_name, 0644, knob_show, knob_store),		\
	.set	= set_##_name,						\
	.show	= show_##_name,						\
}

static struct knob knobs[] = {
	KNOB(policy),
	KNOB(verify),
	KNOB(stack_min),
	KNOB(stack_max),
	KNOB(adaptive_start),
	KNOB(poison),
	KNOB(force_move),
	KNOB(force_pack),
	KNOB(pack_after),
	KNOB(stuck_after),
	KNOB(trace_held),
	KNOB(unmap),
	KNOB(workers),
	KNOB(max_items),
};

static ssize_t shrink_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	if (strlen(buf) != count || !sysfs_streq(buf, "1"))
		return -EINVAL;
	costack_work_shrink();
	return count;
}

static ssize_t pack_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	if (strlen(buf) != count || !sysfs_streq(buf, "1"))
		return -EINVAL;
	costack_work_pack();
	return count;
}

static ssize_t cancel_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	int err = -EINVAL;

	if (strlen(buf) == count)
		err = costack_work_cancel(buf);
	return err ?: count;
}

static ssize_t show_items_store(struct kobject *kobj, struct kobj_attribute *attr,
				const char *buf, size_t count)
{
	int err = -EINVAL;

	if (strlen(buf) == count)
		err = costack_show_module(buf);
	return err ?: count;
}

static struct kobj_attribute shrink_attr = __ATTR(shrink, 0200, NULL, shrink_store);
static struct kobj_attribute pack_attr = __ATTR(pack, 0200, NULL, pack_store);
static struct kobj_attribute cancel_attr = __ATTR(cancel, 0200, NULL, cancel_store);
static struct kobj_attribute show_items_attr = __ATTR(show_items, 0200, NULL, show_items_store);

static struct attribute *knob_attrs[ARRAY_SIZE(knobs) + 5];

static const struct attribute_group knob_group = {
	.attrs = knob_attrs,
};

/**
 * costack_knob_set() - set a knob by name, as a write to its file does
 * @name: name of the file
 * @value: what to write
 *
 * Context: Process context; may sleep.
 * Return: 0, or -EINVAL.
 */
int costack_knob_set(const char *name, const char *value)
{
	unsigned int i;
	int err = -EINVAL;

	mutex_lock(&knobs_lock);
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		if (!strcmp(knobs[i].attr.attr.name, name))
			err = knobs[i].set(value);
	mutex_unlock(&knobs_lock);
	return err;
}

/* === Counters === */

static struct kobj_attribute stat_files[COSTACK_NR_STATS];
static struct kobj_attribute class_files[COSTACK_CLASSES];
static struct attribute *stat_attrs[COSTACK_NR_STATS + COSTACK_CLASSES + 2];

static const char * const class_names[COSTACK_CLASSES] = {
	"stacks_4k", "stacks_8k", "stacks_16k", "stacks_32k", "stacks_64k",
};

static const struct attribute_group stat_group = {
	.name	= "stats",
	.attrs	= stat_attrs,
};

static ssize_t stat_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", costack_stat_read(attr - stat_files));
}

static ssize_t class_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", costack_pool_stacks(attr - class_files));
}

static ssize_t parked_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", costack_items_parked());
}

static struct kobj_attribute parked_file = __ATTR_RO(parked);

static struct attribute *make_file(struct kobj_attribute *file, const char *name,
				   ssize_t (*show)(struct kobject *kobj,
						   struct kobj_attribute *attr, char *buf))
{
	sysfs_attr_init(&file->attr);
	file->attr.name = name;
	file->attr.mode = 0444;
	file->show = show;
	return &file->attr;
}

/**
 * costack_sysfs_init() - make /sys/kernel/costack/
 *
 * Context: Process context; may sleep.
 * Return: 0, -ENOMEM, or what sysfs_create_group() returns.
 */
int costack_sysfs_init(void)
{
	unsigned int i, n = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		sysfs_attr_init(&knobs[i].attr.attr);
		knob_attrs[i] = &knobs[i].attr.attr;
	}
	knob_attrs[i++] = &shrink_attr.attr;
	knob_attrs[i++] = &pack_attr.attr;
	knob_attrs[i++] = &cancel_attr.attr;
	knob_attrs[i] = &show_items_attr.attr;
	for (i = 0; i < COSTACK_NR_STATS; i++)
		stat_attrs[n++] = make_file(&stat_files[i], costack_stat_names[i], stat_show);
	for (i = 0; i < COSTACK_CLASSES; i++)
		stat_attrs[n++] = make_file(&class_files[i], class_names[i], class_show);
	stat_attrs[n++] = &parked_file.attr;

	costack_kobj = kobject_create_and_add("costack", kernel_kobj);
	if (!costack_kobj)
		return -ENOMEM;
	err = sysfs_create_group(costack_kobj, &knob_group);
	if (err)
		goto err_put;
	err = sysfs_create_group(costack_kobj, &stat_group);
	if (err)
		goto err_put;
	return 0;

err_put:
	kobject_put(costack_kobj);
	return err;
}

/**
 * costack_sysfs_exit() - remove /sys/kernel/costack/
 *
 * Context: Process context; may sleep. Nobody reads or writes a file afterwards.
 */
void costack_sysfs_exit(void)
{
	kobject_put(costack_kobj);
}
