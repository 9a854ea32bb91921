// SPDX-License-Identifier: GPL-2.0
/*
 * Livepatch modules stay as long as a coroutine may return into them.
 *
 * When a patch is disabled, the kernel checks the stack of every thread, and releases the
 * patch's module once no thread is in its functions. A coroutine that is switched out is on none
 * of these stacks, be it parked or waiting on its host stack: it would return into text that has
 * been freed.
 *
 * So costack holds each livepatch module. Once the patch has been disabled, nothing enters
 * its functions any more: costack releases the module when all coroutines that existed at
 * that time have ended. Until then rmmod says that the module is in use, and the log says
 * why.
 *
 * If a coroutine is in the middle of a function when a patch is enabled, this does not
 * delay the patch. The coroutine continues in the old function, whose text stays in place.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "call.h"
#include "items.h"
#include "livepatch.h"

/* Interval of the checks whether a patch has been disabled, or its module can be released. */
#define LOOK_AGAIN	(HZ / 5)

/**
 * struct patch - a livepatch module that costack holds
 * @mod: the module
 * @back: its patch has been disabled
 * @told: the log says what it waits for
 * @items: a mark for the work items at that time
 * @called: a mark for the called coroutines at that time
 * @link: in the list of all held modules
 */
struct patch {
	struct module		*mod;
	bool			back;
	bool			told;
	unsigned int		items;
	unsigned long		called;
	struct list_head	link;
};

static LIST_HEAD(patches);
static DEFINE_MUTEX(patches_lock);

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);

static bool is_clear(const struct patch *patch)
{
	return costack_items_ended(patch->items) && costack_called_ended(patch->called);
}

static void let_go(struct patch *patch)
{
	list_del(&patch->link);
	module_put(patch->mod);
	kfree(patch);
}

/*
 * An enabled patch holds its module, so only costack holds it if the count is 1. The mark of the
 * called coroutines is not clear before the next look, even if there are none.
 */
static void look_at(struct patch *patch)
{
	if (!patch->back) {
		if (module_refcount(patch->mod) > 1)
			return;
		patch->back = true;
		/*
		 * The mark covers the calls that have entered SRCU. A call does so when its
		 * coroutine first comes back to the host stack: see run_on() in call.c. Its thread
		 * may have been preempted just before. It does not wait before it is in SRCU, so a
		 * grace period of Tasks RCU is enough for it.
		 */
		synchronize_rcu_tasks();
		patch->items = costack_items_mark();
		patch->called = costack_called_mark();
	} else if (is_clear(patch)) {
		let_go(patch);
	} else if (!patch->told) {
		patch->told = true;
		pr_info("livepatch %s has been taken back, but coroutines may return into it: it stays until they have ended\n",
			patch->mod->name);
	}
}

static void look(struct work_struct *work)
{
	struct patch *patch, *tmp;

	mutex_lock(&patches_lock);
	list_for_each_entry_safe(patch, tmp, &patches, link)
		look_at(patch);
	if (!list_empty(&patches))
		queue_delayed_work(system_power_efficient_wq, &look_work, LOOK_AGAIN);
	mutex_unlock(&patches_lock);
}

static int notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;
	struct patch *patch;

	if (event != MODULE_STATE_LIVE || !is_livepatch_module(mod))
		return NOTIFY_DONE;
	patch = kzalloc(sizeof(*patch), GFP_KERNEL);
	if (!patch || !try_module_get(mod)) {
		pr_err("livepatch %s cannot be held: do not unload it while coroutines are parked\n",
		       mod->name);
		kfree(patch);
		return NOTIFY_DONE;
	}
	patch->mod = mod;
	mutex_lock(&patches_lock);
	list_add_tail(&patch->link, &patches);
	mutex_unlock(&patches_lock);
	queue_delayed_work(system_power_efficient_wq, &look_work, LOOK_AGAIN);
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = {
	.notifier_call = notify,
};

/**
 * costack_livepatch_init() - watch for livepatch modules
 *
 * Modules that are loaded already are not held, whatever enters them later: load costack first.
 *
 * Context: Process context; may sleep.
 * Return: 0 or a negative errno of register_module_notifier().
 */
int costack_livepatch_init(void)
{
	return register_module_notifier(&module_nb);
}

/**
 * costack_livepatch_exit() - release all held modules
 *
 * Context: Process context; may sleep. No coroutine lives.
 */
void costack_livepatch_exit(void)
{
	unregister_module_notifier(&module_nb);
	cancel_delayed_work_sync(&look_work);
	while (!list_empty(&patches))
		let_go(list_first_entry(&patches, struct patch, link));
}
