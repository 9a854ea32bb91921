// SPDX-License-Identifier: GPL-2.0
/*
 * How much stack the functions of work items have used.
 *
 * Each CPU has a table of its own, so that the end of an item takes no lock and touches
 * no cache line that another CPU writes to. A table identifies a function by its address.
 * Once the module of the function is gone, another function may get that address; so the
 * entry is given up when the module goes.
 */
#include <linux/cpumask.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/percpu.h>

#include "compat.h"
#include "coroutine.h"
#include "first.h"
#include "functions.h"
#include "held.h"

/* Replaces a function whose module has gone; the entry may be used again. */
#define GONE	((const void *)1)

/**
 * struct table - the functions of one CPU
 * @entry: open addressing, by the address of the function. The CPU changes it with
 *	preemption off; the module notifier gives up entries of functions that cannot
 *	run any more
 * @others: the sum for functions that found no room
 */
struct table {
	struct costack_function	entry[COSTACK_FUNCTIONS];
	struct costack_function	others;
};

static struct table __percpu *tables;

/* Find the entry of @fn, which is not at its first place @i, or make it. */
static noinline struct costack_function *search(struct table *table, const void *fn,
						unsigned int i)
{
	struct costack_function *free = NULL, *entry;
	unsigned int n;

	for (n = 0; n < COSTACK_FUNCTIONS; n++) {
		entry = &table->entry[(i + n) % COSTACK_FUNCTIONS];
		if (likely(entry->fn == fn))
			return entry;
		if (!free && (!entry->fn || entry->fn == GONE))
			free = entry;
		if (!entry->fn)
			break;
	}
	if (!free)
		return &table->others;
	*free = (struct costack_function) { };
	WRITE_ONCE(free->fn, fn);
	return free;
}

static __always_inline struct costack_function *find(struct table *table, const void *fn)
{
	unsigned int i = hash_ptr(fn, ilog2(COSTACK_FUNCTIONS));

	if (likely(table->entry[i].fn == fn))
		return &table->entry[i];
	return search(table, fn, i);
}

static void add(struct costack_function *to, const struct costack_function *what)
{
	to->items += what->items;
	to->deepest = max(to->deepest, what->deepest);
	to->growths += what->growths;
	to->refusals += what->refusals;
	to->held += what->held;
	to->held_ms += what->held_ms;
	to->longest_ms = max(to->longest_ms, what->longest_ms);
}

/**
 * costack_functions_note() - note how much stack an item has used
 * @co: has ended; the module of its function is still loaded
 *
 * Context: Process context, host stack.
 */
void costack_functions_note(struct costack *co)
{
	struct costack_function *entry = find(get_cpu_ptr(tables), co->fn);

	entry->items++;
	if (likely(!(co->growths | co->refusals | co->probe))) {
		put_cpu_ptr(tables);
		return;
	}
	entry->deepest = max_t(unsigned long, entry->deepest, co->deepest);
	entry->growths += co->growths;
	entry->refusals += co->refusals;
	put_cpu_ptr(tables);
	costack_first_end(co);
}

static unsigned int merge(struct costack_function *sum, unsigned int nr, unsigned int max,
			  const struct costack_function *what)
{
	unsigned int i = 0;

	if ((!what->items && !what->held) || what->fn == GONE)
		return nr;
	while (i < nr && sum[i].fn != what->fn)
		i++;
	if (i == max)
		return nr;
	if (i == nr)
		sum[nr++] = (struct costack_function) { .fn = what->fn };
	add(&sum[i], what);
	return nr;
}

static unsigned int merge_held(struct costack_function *sum, unsigned int nr, unsigned int max)
{
	struct costack_function function;
	struct costack_held held;
	unsigned int i;

	for (i = 0; i <= COSTACK_HELD_FUNCTIONS; i++) {
		if (!costack_held_get(i, &held))
			continue;
		function = (struct costack_function) {
			.fn		= held.fn,
			.held		= held.times,
			.held_ms	= jiffies_to_msecs(held.total),
			.longest_ms	= jiffies_to_msecs(held.longest),
		};
		nr = merge(sum, nr, max, &function);
	}
	return nr;
}

/**
 * costack_functions_sum() - add up what all CPUs have noted
 * @sum: out: one entry for each function
 * @max: room in @sum; functions that find no room are left out
 *
 * Context: Process context. The figures may be outdated, and each is of another moment.
 * Return: the number of entries in @sum.
 */
unsigned int costack_functions_sum(struct costack_function *sum, unsigned int max)
{
	unsigned int nr = 0, i;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct table *table = per_cpu_ptr(tables, cpu);

		for (i = 0; i < COSTACK_FUNCTIONS; i++)
			nr = merge(sum, nr, max, &table->entry[i]);
		nr = merge(sum, nr, max, &table->others);
	}
	return merge_held(sum, nr, max);
}

static int notify(struct notifier_block *nb, unsigned long event, void *data)
{
	unsigned long start, end, fn;
	unsigned int i;
	int cpu;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	costack_module_text(data, &start, &end);
	costack_first_forget(start, end);
	costack_held_forget(start, end);
	for_each_possible_cpu(cpu) {
		struct table *table = per_cpu_ptr(tables, cpu);

		for (i = 0; i < COSTACK_FUNCTIONS; i++) {
			fn = (unsigned long)READ_ONCE(table->entry[i].fn);
			if (fn >= start && fn < end)
				WRITE_ONCE(table->entry[i].fn, GONE);
		}
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = notify,
};

/**
 * costack_functions_init() - make the tables
 *
 * Context: Process context; may sleep.
 * Return: 0, -ENOMEM, or what register_module_notifier() returns.
 */
int costack_functions_init(void)
{
	int err;

	tables = alloc_percpu(struct table);
	if (!tables)
		return -ENOMEM;
	err = register_module_notifier(&module_nb);
	if (err)
		free_percpu(tables);
	return err;
}

/**
 * costack_functions_exit() - undo costack_functions_init()
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_functions_exit(void)
{
	unregister_module_notifier(&module_nb);
	free_percpu(tables);
}
