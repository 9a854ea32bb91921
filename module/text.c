// SPDX-License-Identifier: GPL-2.0
/*
 * Movable text: the modules that made the promise of MODULE_COSTACK_MOVABLE(), and the
 * verdicts on their machine code.
 *
 * A module makes the promise by having a parameter with costack_movable_ops. The
 * administrator can see that parameter, and a module notifier finds it before any of
 * the module's code runs. This module's own text is movable as well: it keeps addresses
 * of a coroutine stack only in roots.
 *
 * The promise is about what the author does with addresses of the stack. It is enough to
 * drop frames. To move frames, a verdict is needed too, which is about what the compiler
 * does with those addresses: see points.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include <linux/costack.h>

#include "compat.h"
#include "text.h"
#include "points.h"

#define MAX_TEXTS	64

/*
 * Ranges [start, end). The module notifier writes them under @texts_lock; the fault
 * path reads them with no lock. add() writes @start last, and clear() sets @start to
 * the highest address, so that a reader sees a complete entry or none. A module has
 * no frame on any stack when its entry changes. Readers are under RCU or have
 * interrupts off: once they are done, clear() frees the verdict, and the entry may be
 * used again.
 */
static struct text {
	unsigned long			start;
	unsigned long			end;
	const struct module		*mod;
	struct costack_points		*points;	/* NULL: no move */
} texts[MAX_TEXTS] = {
	[0 ... MAX_TEXTS - 1] = { .start = ULONG_MAX },
};

static unsigned int nr_texts;
static DEFINE_MUTEX(texts_lock);

static const struct text *find(unsigned long ip)
{
	unsigned int i, nr = READ_ONCE(nr_texts);

	for (i = 0; i < nr; i++) {
		unsigned long start = READ_ONCE(texts[i].start);

		if (ip >= start && ip < READ_ONCE(texts[i].end))
			return &texts[i];
	}
	return NULL;
}
NOKPROBE_SYMBOL(find);

/**
 * costack_text_movable() - has the author of this code promised that it is movable
 * @ip: address of the code
 *
 * Context: Any context, any stack, the #DF stack included. Takes no lock.
 * Return: true if @ip is in the text of a module that made the promise.
 */
bool costack_text_movable(unsigned long ip)
{
	return find(ip);
}
NOKPROBE_SYMBOL(costack_text_movable);

/**
 * costack_text_points() - find the verdict of movable text
 * @ip: address in that text
 *
 * Context: Under RCU or with interrupts off; the verdict is valid only that long. Any
 * stack, the #DF stack included. Takes no lock.
 * Return: the verdict; %NULL if the text has none, or if @ip is not in movable text.
 */
const struct costack_points *costack_text_points(unsigned long ip)
{
	const struct text *text = find(ip);

	return text ? READ_ONCE(text->points) : NULL;
}
NOKPROBE_SYMBOL(costack_text_points);

/**
 * costack_text_data() - is this an address of data of a movable module
 * @addr: the address, not of movable text
 *
 * Slow: it looks at all modules.
 *
 * Context: As for costack_text_points().
 * Return: true if it is; then nothing is executed there, so no call returns there.
 */
bool costack_text_data(unsigned long addr)
{
	unsigned int i, nr = READ_ONCE(nr_texts);

	for (i = 0; IS_ENABLED(CONFIG_STRICT_MODULE_RWX) && i < nr; i++)
		if (READ_ONCE(texts[i].start) != ULONG_MAX &&
		    costack_module_data(READ_ONCE(texts[i].mod), addr))
			return true;
	return false;
}
NOKPROBE_SYMBOL(costack_text_data);

/**
 * costack_text_approved() - does this code belong to an approved function
 * @table: verdict of the text that contains @ip
 * @ip: address of the code
 *
 * Tells why there is no point at @ip; slow.
 *
 * Context: As for costack_text_points().
 * Return: true if it does: then other instructions of that function allow a move.
 */
bool costack_text_approved(const struct costack_points *table, unsigned long ip)
{
	unsigned long at = ip - table->start;
	unsigned int i;

	for (i = 0; i < table->nr_functions; i++)
		if (at - table->functions[i].start < table->functions[i].size)
			return true;
	return false;
}
NOKPROBE_SYMBOL(costack_text_approved);

static void add(const struct module *mod, unsigned long start, unsigned long end)
{
	struct text *text = NULL;
	unsigned int i;

	mutex_lock(&texts_lock);
	for (i = 0; i < MAX_TEXTS && !text; i++)
		if (texts[i].start == ULONG_MAX)
			text = &texts[i];
	if (text) {
		WRITE_ONCE(text->end, end);
		WRITE_ONCE(text->mod, mod);
		WRITE_ONCE(text->points, costack_points_read(mod, start, end));
		smp_wmb(); /* pairs with find(), which reads @start first: if valid, all is */
		WRITE_ONCE(text->start, start);
		nr_texts = max_t(unsigned int, nr_texts, text - texts + 1);
	}
	mutex_unlock(&texts_lock);
	if (!text)
		pr_warn("%s: too many movable modules are loaded\n", mod->name);
	if (!text || !text->points)
		pr_warn("%s: its stacks grow in place\n", mod->name);
}

static void clear(struct text *text)
{
	struct costack_points *table = text->points;

	WRITE_ONCE(text->start, ULONG_MAX);
	synchronize_rcu();
	text->points = NULL;
	costack_points_free(table);
}

static void del(unsigned long start)
{
	unsigned int i;

	mutex_lock(&texts_lock);
	for (i = 0; i < MAX_TEXTS; i++)
		if (texts[i].start == start)
			clear(&texts[i]);
	mutex_unlock(&texts_lock);
}

/* Modules that have been unloaded; an address of one may be that of another since. */
static atomic_long_t unloads = ATOMIC_LONG_INIT(0);

/**
 * costack_text_unloads() - how many modules have been unloaded
 *
 * Context: Any.
 * Return: a number that tells a module from an earlier one at the same address.
 */
unsigned long costack_text_unloads(void)
{
	return atomic_long_read(&unloads);
}

static bool promised(const struct module *mod)
{
	unsigned int i;

	for (i = 0; i < mod->num_kp; i++)
		if (mod->kp[i].ops == &costack_movable_ops)
			return true;
	return false;
}

static int notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;
	unsigned long start, end;

	if (event == MODULE_STATE_GOING)
		atomic_long_inc(&unloads);
	if (!promised(mod))
		return NOTIFY_DONE;
	costack_module_text(mod, &start, &end);
	if (event == MODULE_STATE_COMING)
		add(mod, start, end);
	else if (event == MODULE_STATE_GOING)
		del(start);
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = notify,
};

static int movable_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "Y\n");
}

static int movable_set(const char *val, const struct kernel_param *kp)
{
	return -EINVAL; /* a property of the source, not a setting */
}

const struct kernel_param_ops costack_movable_ops = {
	.flags	= KERNEL_PARAM_OPS_FL_NOARG,
	.get	= movable_get,
	.set	= movable_set,
};
EXPORT_SYMBOL_GPL(costack_movable_ops);

const struct kernel_param_ops costack_verdict_ops = {
	.set	= movable_set,
};
EXPORT_SYMBOL_GPL(costack_verdict_ops);

/**
 * costack_text_init() - add this module's own text, and watch for modules
 *
 * Context: Process context; may sleep.
 * Return: 0 or a negative errno of register_module_notifier().
 */
int costack_text_init(void)
{
	unsigned long start, end;

	if (costack_own_text(&start, &end))
		add(THIS_MODULE, start, end);
	return register_module_notifier(&module_nb);
}

/**
 * costack_text_exit() - undo costack_text_init()
 *
 * Context: Process context; may sleep.
 */
void costack_text_exit(void)
{
	unsigned int i;

	unregister_module_notifier(&module_nb);
	for (i = 0; i < MAX_TEXTS; i++)
		if (texts[i].start != ULONG_MAX)
			clear(&texts[i]);
	nr_texts = 0;
}
