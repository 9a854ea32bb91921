// SPDX-License-Identifier: GPL-2.0
/*
 * The work items of a module, printed to the log: they are what keeps it from being unloaded.
 *
 * Items that are alike are printed as one line, with their number. The list is complete before the
 * first line is printed; each item is shown as it was at another moment.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "coroutine.h"
#include "items.h"
#include "show.h"
#include "waiter.h"

/* Lines that are printed; the items that are in none of them are counted. */
#define MAX_LINES	32U

const char * const costack_show_states[COSTACK_NR_STATES] = {
	[COSTACK_IDLE]		= "idle",
	[COSTACK_RUNNABLE]	= "runnable",
	[COSTACK_RUNNING]	= "running",
	[COSTACK_COPYSTACK]	= "copystack",
	[COSTACK_WAITING]	= "waiting",
	[COSTACK_DEAD]		= "dead",
};

/**
 * struct line - items that are alike
 * @count: how many
 * @fn: what they run
 * @state: an enum costack_state
 * @packed: they are parked, and have no stacks
 * @waits: an enum costack_waits
 * @name: may be empty
 */
struct line {
	unsigned long	count;
	const void	*fn;
	u8		state;
	bool		packed;
	u8		waits;
	char		name[COSTACK_NAME_LEN];
};

/**
 * struct list - the items of a module
 * @owner: the module; %NULL: the one that is called @module
 * @module: its name, or %NULL
 * @title: its name as the kernel has it: @module may end in a newline
 * @count: number of its items
 * @others: number of those that are in no line
 * @nr: number of lines
 * @line: the lines
 */
struct list {
	const struct module	*owner;
	const char		*module;
	char			title[MODULE_NAME_LEN];
	unsigned int		count;
	unsigned int		others;
	unsigned int		nr;
	struct line		line[MAX_LINES];
};

/**
 * costack_show_name() - copy the name of a coroutine that may end meanwhile
 * @to: out: COSTACK_NAME_LEN bytes
 * @name: the name, which may be gone with its user: reading it must not fault
 *
 * Context: Any.
 */
void costack_show_name(char *to, const char *name)
{
	unsigned int i;

	for (i = 0; i < COSTACK_NAME_LEN - 1; i++)
		if (get_kernel_nofault(to[i], name + i) || !to[i])
			break;
	to[i] = 0;
}

static bool alike(const struct line *a, const struct line *b)
{
	return a->fn == b->fn && a->state == b->state && a->packed == b->packed &&
	       a->waits == b->waits && !strcmp(a->name, b->name);
}

static void fold(struct list *list, const struct line *line)
{
	unsigned int i = 0;

	while (i < list->nr && !alike(&list->line[i], line))
		i++;
	if (i == MAX_LINES) {
		list->others++;
		return;
	}
	if (i == list->nr)
		list->line[list->nr++] = *line;
	list->line[i].count++;
}

/* As long as @co is on its list, whose lock is held, its item is not done, so it is there. */
static void look(struct costack *co, void *arg)
{
	const struct module *owner = co->work->owner;
	struct list *list = arg;
	struct line line = {
		.fn	= co->fn,
		.state	= costack_state(co),
	};

	if (list->module ? !owner || !sysfs_streq(list->module, owner->name) :
			   owner != list->owner)
		return;
	if (line.state == COSTACK_WAITING) {
		line.packed = costack_is_packed(co);
		line.waits = costack_waits(co);
	}
	costack_show_name(line.name, co->name);
	if (list->module)
		strscpy(list->title, owner->name, sizeof(list->title));
	list->count++;
	fold(list, &line);
}

static void print(const struct list *list)
{
	unsigned int i;

	pr_info("%u work items of %s have not ended\n", list->count, list->title);
	for (i = 0; i < list->nr; i++) {
		const struct line *line = &list->line[i];

		pr_info("  %lu: %s, %ps, %s%s%s\n", line->count,
			line->name[0] ? line->name : "(no name)", line->fn,
			line->packed ? "packed" : costack_show_states[line->state],
			line->waits ? ", for: " : "",
			line->waits ? costack_waits_names[line->waits] : "");
	}
	if (list->others)
		pr_info("  %u: others\n", list->others);
}

/**
 * struct showing - the arguments of show()
 * @owner: whose items to print; %NULL: those of the module that is called @module
 * @module: its name, or %NULL
 * @count: out: how many there are, or -ENOMEM
 */
struct showing {
	const struct module	*owner;
	const char		*module;
	int			count;
};

static int show(void *arg)
{
	struct showing *showing = arg;
	struct list *list = kvzalloc(sizeof(*list), GFP_KERNEL);

	showing->count = -ENOMEM;
	if (!list)
		return 0;
	list->owner = showing->owner;
	list->module = showing->module;
	strscpy(list->title, list->owner ? list->owner->name : "the kernel", sizeof(list->title));
	costack_items_each(look, list);
	showing->count = list->count;
	if (list->count || !list->module)
		print(list);
	kvfree(list);
	return 0;
}

/**
 * costack_show_module() - print the work items of a module
 * @name: its name
 *
 * Context: Process context; may sleep.
 * Return: 0; -ENOENT: no module of that name has an item; -ENOMEM.
 */
int costack_show_module(const char *name)
{
	struct showing showing = { .module = name };

	show(&showing);
	return showing.count > 0 ? 0 : showing.count ?: -ENOENT;
}

/**
 * __costack_show_items() - costack_show_items() for a module
 * @owner: the module
 *
 * Context: As costack_show_items().
 * Return: as costack_show_items().
 */
int __costack_show_items(const struct module *owner)
{
	struct showing showing = { .owner = owner };

	might_sleep();
	if (costack_current())
		costack_on_host(show, &showing);
	else
		show(&showing);
	return showing.count;
}
EXPORT_SYMBOL_GPL(__costack_show_items);
