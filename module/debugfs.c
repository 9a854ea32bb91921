// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: what coroutines do. For root only, as the files show addresses of code.
 *
 *	/sys/kernel/debug/costack/
 *		stacks		a line for each coroutine
 *		functions	a line for each function of work items that have ended, or have held
 *				their workers
 *		dump		call traces of all parked coroutines, with identical ones
 *				folded into one; write 1 to print them to the log
 *
 * Each file is a snapshot, taken when stacks is opened, or when another file is first read. Each
 * line of it is of another moment.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arena.h"
#include "called.h"
#include "coroutine.h"
#include "debugfs.h"
#include "first.h"
#include "functions.h"
#include "show.h"
#include "traces.h"
#include "waiter.h"
#include "walk.h"
#include "items.h"

static struct dentry *dir;

static const char * const refusal_names[] = {
	[COSTACK_MOVABLE]		= "-",
	[COSTACK_REFUSED_PIN]		= "pin",
	[COSTACK_REFUSED_TEXT]		= "text",
	[COSTACK_REFUSED_UNWIND]	= "unwind",
	[COSTACK_REFUSED_HOOK]		= "hook",
	[COSTACK_REFUSED_RESERVE]	= "reserve",
	[COSTACK_REFUSED_VERDICT]	= "verdict",
	[COSTACK_REFUSED_POINT]		= "point",
	[COSTACK_REFUSED_OPAQUE]	= "opaque",
	[COSTACK_REFUSED_LARGE]		= "large",
	[COSTACK_REFUSED_MEMORY]	= "memory",
};

/* === stacks === */

/**
 * struct line - one coroutine at the time of the snapshot
 * @seq: its number; 0 for a called one
 * @fn: what it runs
 * @state: an enum costack_state
 * @packed: it is parked, and has no stack
 * @waits: an enum costack_waits
 * @refusal: why a move of it was last refused, an enum costack_refusal
 * @bytes: size of its stack; 0: it has none
 * @used: bytes in use, while it is parked
 * @deepest: bytes in use at the deepest growth
 * @growths: times it has grown
 * @name: may be empty
 * @pid: a called one: its thread; 0: that has died
 * @comm: likewise
 */
struct line {
	unsigned long	seq;
	const void	*fn;
	u8		state;
	bool		packed;
	u8		waits;
	u8		refusal;
	unsigned int	bytes;
	unsigned int	used;
	unsigned int	deepest;
	unsigned int	growths;
	char		name[COSTACK_NAME_LEN];
	pid_t		pid;
	char		comm[TASK_COMM_LEN];
};

/**
 * struct snapshot - the lines of an open file
 * @nr: number of lines
 * @max: room for lines; coroutines that find no room are left out
 * @line: the lines
 */
struct snapshot {
	unsigned long	nr;
	unsigned long	max;
	struct line	line[];
};

/*
 * A called coroutine may end here, its memory be cleared for another one, and its name be gone with
 * its caller. What was read of another name is not kept: see costack_called_each().
 */
static void fill(struct line *line, const struct costack *co)
{
	const struct costack_slot *slot = READ_ONCE(co->slot);
	enum costack_state state = costack_state(co);
	unsigned long sp;

	*line = (struct line) {
		.fn	 = READ_ONCE(co->fn),
		.state	 = state,
		.refusal = READ_ONCE(co->refusal),
		.bytes	 = slot ? READ_ONCE(slot->pages) * PAGE_SIZE : 0,
		.deepest = READ_ONCE(co->deepest),
		.growths = READ_ONCE(co->growths),
	};
	costack_show_name(line->name, READ_ONCE(co->name));
	/* Keep each field one word. */
	strreplace(line->name, ' ', '_');
	if (state != COSTACK_WAITING)
		return;
	line->waits = costack_waits(co);
	/* It may get or lose a stack at any moment. What follows from one word fits together. */
	sp = READ_ONCE(co->ctx.sp);
	slot = costack_arena_lookup(sp);
	if (!slot)
		return;
	/* The use of other slots may change meanwhile, but to nothing that is compared here. */
	line->packed = data_race(slot->use) == COSTACK_HOME;
	line->bytes = READ_ONCE(slot->pages) * PAGE_SIZE;
	line->used = slot->hi - sp;
}

static void take_item(struct costack *co, void *arg)
{
	struct snapshot *snapshot = arg;

	if (snapshot->nr == snapshot->max)
		return;
	fill(&snapshot->line[snapshot->nr], co);
	snapshot->line[snapshot->nr++].seq = co->seq;
}

static void see_called(const struct costack *co, const struct task_struct *thread, void *arg)
{
	struct snapshot *snapshot = arg;
	struct line *line = &snapshot->line[snapshot->nr];

	if (snapshot->nr == snapshot->max)
		return;
	fill(line, co);
	if (!thread)
		return;
	line->pid = task_pid_nr((struct task_struct *)thread);
	/* A thread may be renamed at any time; the last byte stays 0. */
	data_race(strscpy(line->comm, thread->comm, sizeof(line->comm)));
	strreplace(line->comm, ' ', '_');
}

static void keep_called(void *arg)
{
	struct snapshot *snapshot = arg;

	if (snapshot->nr < snapshot->max)
		snapshot->nr++;
}

static void count_item(struct costack *co, void *arg)
{
	unsigned long *nr = arg;

	++*nr;
}

static void see_nothing(const struct costack *co, const struct task_struct *thread, void *arg)
{
}

static void count_called(void *arg)
{
	unsigned long *nr = arg;

	++*nr;
}

static struct snapshot *take_snapshot(void)
{
	struct costack_called_look look = { see_nothing, count_called };
	struct snapshot *snapshot;
	unsigned long nr = 0;

	look.arg = &nr;
	costack_items_each(count_item, &nr);
	costack_called_each(&look);
	/* More coroutines may come meanwhile. */
	nr += nr / 8 + 64;
	snapshot = kvzalloc(struct_size(snapshot, line, nr), GFP_KERNEL);
	if (!snapshot)
		return NULL;
	snapshot->max = nr;
	costack_items_each(take_item, snapshot);
	look = (struct costack_called_look) { see_called, keep_called, snapshot };
	costack_called_each(&look);
	return snapshot;
}

/* Position 0 is the line with the names of the columns. */
static void *stacks_start(struct seq_file *m, loff_t *pos)
{
	struct snapshot *snapshot = m->private;

	return *pos <= snapshot->nr ? (void *)(unsigned long)(*pos + 1) : NULL;
}

static void *stacks_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return stacks_start(m, pos);
}

static void stacks_stop(struct seq_file *m, void *v)
{
}

static int stacks_show(struct seq_file *m, void *v)
{
	const struct snapshot *snapshot = m->private;
	const struct line *line;
	char id[24] = "-", thread[TASK_COMM_LEN + 16] = "-";

	if ((unsigned long)v == 1) {
		seq_puts(m, "      id name                    state       class    used deepest growths refusal waits   thread                function\n");
		return 0;
	}
	line = &snapshot->line[(unsigned long)v - 2];
	if (line->seq)
		snprintf(id, sizeof(id), "%lu", line->seq);
	else if (line->pid)
		snprintf(thread, sizeof(thread), "%s:%d", line->comm, line->pid);
	else
		strscpy(thread, "dead", sizeof(thread));
	seq_printf(m, "%8s %-23s %-9s %7u %7u %7u %7u %-7s %-7s %-21s %ps\n", id,
		   line->name[0] ? line->name : "-",
		   line->packed ? "packed" : costack_show_states[line->state], line->bytes,
		   line->used, line->deepest, line->growths,
		   refusal_names[line->refusal], costack_waits_names[line->waits],
		   thread, line->fn);
	return 0;
}

static const struct seq_operations stacks_ops = {
	.start	= stacks_start,
	.next	= stacks_next,
	.stop	= stacks_stop,
	.show	= stacks_show,
};

static int stacks_open(struct inode *inode, struct file *file)
{
	struct snapshot *snapshot = take_snapshot();
	int err;

	if (!snapshot)
		return -ENOMEM;
	err = seq_open(file, &stacks_ops);
	if (err) {
		kvfree(snapshot);
		return err;
	}
	((struct seq_file *)file->private_data)->private = snapshot;
	return 0;
}

static int stacks_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	kvfree(m->private);
	return seq_release(inode, file);
}

static const struct file_operations stacks_fops = {
	.owner		= THIS_MODULE,
	.open		= stacks_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= stacks_release,
};

/* === functions === */

static int more_items(const void *a, const void *b)
{
	const struct costack_function *one = a, *two = b;

	return one->items < two->items ? 1 : one->items > two->items ? -1 : 0;
}

static int functions_show(struct seq_file *m, void *unused)
{
	const unsigned int max = 3 * COSTACK_FUNCTIONS;
	struct costack_function *sum = kvcalloc(max, sizeof(*sum), GFP_KERNEL);
	unsigned int nr, first, i;

	if (!sum)
		return -ENOMEM;
	nr = costack_functions_sum(sum, max);
	sort(sum, nr, sizeof(*sum), more_items, NULL);
	seq_puts(m, "    items deepest   first  growths  refused    held held_ms longest_ms function\n");
	for (i = 0; i < nr; i++) {
		first = costack_first_class(sum[i].fn);
		seq_printf(m, "%9lu %7lu %7lu %8lu %8lu %7lu %7lu %10lu ", sum[i].items,
			   sum[i].deepest, first ? PAGE_SIZE << first : 0, sum[i].growths,
			   sum[i].refusals, sum[i].held, sum[i].held_ms, sum[i].longest_ms);
		if (sum[i].fn)
			seq_printf(m, "%ps\n", sum[i].fn);
		else
			seq_puts(m, "(others)\n");
	}
	kvfree(sum);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(functions);

/* === dump === */

static int dump_show(struct seq_file *m, void *unused)
{
	return costack_traces_show(m);
}

static int dump_open(struct inode *inode, struct file *file)
{
	return single_open(file, dump_show, NULL);
}

static ssize_t dump_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char text[] = "1\n";

	if (!len || len >= sizeof(text))
		return -EINVAL;
	text[len] = 0;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	if (strlen(text) != len || !sysfs_streq(text, "1"))
		return -EINVAL;
	return costack_traces_show(NULL) ?: len;
}

static const struct file_operations dump_fops = {
	.owner		= THIS_MODULE,
	.open		= dump_open,
	.read		= seq_read,
	.write		= dump_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * costack_debugfs_init() - make the files
 *
 * Context: Process context; may sleep.
 */
void costack_debugfs_init(void)
{
	dir = debugfs_create_dir("costack", NULL);
	debugfs_create_file("stacks", 0400, dir, NULL, &stacks_fops);
	debugfs_create_file("functions", 0400, dir, NULL, &functions_fops);
	debugfs_create_file("dump", 0600, dir, NULL, &dump_fops);
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
