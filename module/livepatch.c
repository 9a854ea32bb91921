// SPDX-License-Identifier: GPL-2.0
/*
 * Livepatch modules stay as long as a coroutine may return into them.
 *
 * When a patch is taken back, the kernel looks at the stack of every thread, and lets
 * go of the patch's module once nobody is in its functions. A coroutine that has left its
 * thread is on none of these stacks. It would return into text that is freed.
 *
 * So each livepatch module is held. Once its patch has been taken back nobody enters its
 * functions any more: then it is let go when all coroutines that were there at that time
 * have ended. Until then rmmod says that it is in use, and the log says why.
 *
 * That a coroutine is in the middle of a function when a patch comes does not hold the
 * patch back, and it goes on in the old one; the old text stays where it is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "costack.h"
#include "livepatch.h"
#include "work.h"

/* How often is looked whether a patch has been taken back, or can go. */
#define LOOK_AGAIN	(HZ / 5)

/**
 * struct patch - a livepatch module that is held
 * @mod: which
 * @back: its patch has been taken back
 * @seq: the newest work item then
 * @called: stands for the called coroutines then
 * @link: in the list of all
 */
struct patch {
	struct module		*mod;
	bool			back;
	unsigned long		seq;
	unsigned long		called;
	struct list_head	link;
};

static LIST_HEAD(patches);
static DEFINE_MUTEX(patches_lock);

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);

static bool is_clear(const struct patch *patch)
{
	return costack_work_ended(patch->seq) && costack_called_ended(patch->called);
}

static void let_go(struct patch *patch)
{
	list_del(&patch->link);
	module_put(patch->mod);
	kfree(patch);
}

/* An enabled patch holds its module, too. */
static void look_at(struct patch *patch)
{
	if (!patch->back && module_refcount(patch->mod) == 1) {
		patch->back = true;
		patch->seq = costack_work_seq();
		patch->called = costack_called_mark();
		if (!is_clear(patch))
			pr_info("livepatch %s has been taken back, but coroutines that may return into it wait: it stays until they have ended\n",
				patch->mod->name);
	}
	if (patch->back && is_clear(patch))
		let_go(patch);
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
		pr_err("livepatch %s cannot be held: do not take it out while coroutines wait\n",
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
 * Of one that is there already nothing is known: no coroutine has been in it yet.
 *
 * Context: Process context; may sleep.
 * Return: 0 or a negative errno of register_module_notifier().
 */
int costack_livepatch_init(void)
{
	return register_module_notifier(&module_nb);
}

/**
 * costack_livepatch_exit() - let all of them go
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
