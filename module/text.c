// SPDX-License-Identifier: GPL-2.0
/*
 * Movable text: the modules that made the promise of MODULE_COSTACK_MOVABLE().
 *
 * A module makes it by having a parameter with costack_movable_ops, which its
 * administrator can see and which a module notifier finds before any of the
 * module's code runs. This module's own text is movable as well: what it keeps
 * of a coroutine stack's addresses, it keeps in roots.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include <linux/costack.h>

#include "compat.h"
#include "text.h"

#define MAX_TEXTS	64

/*
 * Ranges [start, end). Written under @texts_lock by the module notifier; read
 * by the fault path with no lock. An entry is made by writing @start last and
 * taken back by writing @start first, with an address that nothing is above,
 * so that a reader sees the whole range or none. A module has no frame on any
 * stack when its entry changes.
 */
static struct text {
	unsigned long start;
	unsigned long end;
} texts[MAX_TEXTS] = {
	[0 ... MAX_TEXTS - 1] = { .start = ULONG_MAX },
};

static unsigned int nr_texts;
static DEFINE_MUTEX(texts_lock);

/**
 * costack_text_movable() - may a frame of this code be moved
 * @ip: address in it
 *
 * Context: Any context, any stack, the #DF stack included. Takes no lock.
 * Return: true if @ip is in the text of a module that promised so.
 */
bool costack_text_movable(unsigned long ip)
{
	unsigned int i, nr = READ_ONCE(nr_texts);

	for (i = 0; i < nr; i++) {
		unsigned long start = READ_ONCE(texts[i].start);

		if (ip >= start && ip < READ_ONCE(texts[i].end))
			return true;
	}
	return false;
}
NOKPROBE_SYMBOL(costack_text_movable);

static int add(unsigned long start, unsigned long end)
{
	unsigned int i;
	int err = -ENOSPC;

	mutex_lock(&texts_lock);
	for (i = 0; i < MAX_TEXTS; i++) {
		if (texts[i].start != ULONG_MAX)
			continue;
		WRITE_ONCE(texts[i].end, end);
		smp_wmb(); /* pairs with the address order of reads: end is valid when start is */
		WRITE_ONCE(texts[i].start, start);
		nr_texts = max(nr_texts, i + 1);
		err = 0;
		break;
	}
	mutex_unlock(&texts_lock);
	return err;
}

static void del(unsigned long start)
{
	unsigned int i;

	mutex_lock(&texts_lock);
	for (i = 0; i < MAX_TEXTS; i++)
		if (texts[i].start == start)
			WRITE_ONCE(texts[i].start, ULONG_MAX);
	mutex_unlock(&texts_lock);
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

	if (!promised(mod))
		return NOTIFY_DONE;
	costack_module_text(mod, &start, &end);
	if (event == MODULE_STATE_COMING) {
		if (add(start, end))
			pr_warn("costack: no room to note that %s is movable: its stacks grow in place\n",
				mod->name);
	} else if (event == MODULE_STATE_GOING) {
		del(start);
	}
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

/**
 * costack_text_init() - note our own text, and watch for modules
 *
 * Context: Process context; may sleep.
 * Return: 0 or a negative errno of register_module_notifier().
 */
int costack_text_init(void)
{
	unsigned long start, end;
	int err;

	if (costack_own_text(&start, &end)) {
		err = add(start, end);
		if (err)
			return err;
	}
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
		texts[i].start = ULONG_MAX;
	nr_texts = 0;
}
