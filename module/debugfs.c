// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: a line for each coroutine of a work item.
 *
 *	/sys/kernel/debug/costack/stacks	root only, as it shows addresses of code
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>

#include "arena.h"
#include "coroutine.h"
#include "debugfs.h"
#include "work.h"

static struct dentry *dir;

static const char * const state_names[COSTACK_NR_STATES] = {
	[COSTACK_IDLE]		= "idle",
	[COSTACK_RUNNABLE]	= "runnable",
	[COSTACK_RUNNING]	= "running",
	[COSTACK_COPYSTACK]	= "copystack",
	[COSTACK_WAITING]	= "waiting",
	[COSTACK_DEAD]		= "dead",
};

static void show_one(struct costack *co, void *arg)
{
	int state = costack_state(co);
	struct costack_slot *slot = READ_ONCE(co->slot);
	struct seq_file *m = arg;

	seq_printf(m, "%-23s %-9s %7lu %7lu %7u %4u  %ps\n", co->name[0] ? co->name : "-",
		   state_names[state], slot->pages * PAGE_SIZE,
		   state == COSTACK_WAITING ? slot->hi - READ_ONCE(co->ctx.sp) : 0,
		   co->deepest, co->growths, co->fn);
}

static int stacks_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "name                    state        size    used deepest grew  function\n");
	costack_work_each(show_one, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stacks);

/**
 * costack_debugfs_init() - make the files
 *
 * Context: Process context; may sleep.
 */
void costack_debugfs_init(void)
{
	dir = debugfs_create_dir("costack", NULL);
	debugfs_create_file("stacks", 0400, dir, NULL, &stacks_fops);
}

/**
 * costack_debugfs_exit() - undo costack_debugfs_init()
 *
 * Context: Process context; may sleep.
 */
void costack_debugfs_exit(void)
{
	debugfs_remove(dir);
}
