// SPDX-License-Identifier: GPL-2.0
/*
 * costack_test_hog: memory pressure. A thread takes all pages, and a shrinker gives
 * some back when the kernel reclaims. So every allocation has to go through reclaim, and
 * succeeds in the end.
 *
 * It does not need costack, so that costack can be loaded meanwhile:
 *
 *	/sys/module/costack_test_hog/parameters/hold	1: take all; 0: give it back
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "compat.h"
#include "hog.h"

/* Pages of each order are taken until there are no more; small ones go first. */
#define LARGE_ORDER	9

static LIST_HEAD(large);
static LIST_HEAD(small);
static DEFINE_SPINLOCK(lock);
static unsigned long nr_small;
static unsigned long given_back;
static struct task_struct *taker;
static unsigned int pause;	/* microseconds between two rounds of the thread */

static bool take(unsigned int order, struct list_head *list)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	/* Do not reclaim for large ones. */
	if (order)
		gfp &= ~__GFP_RECLAIM;
	page = alloc_pages(gfp, order);
	if (!page)
		return false;
	spin_lock(&lock);
	list_add(&page->lru, list);
	/* Pairs with count(). */
	WRITE_ONCE(nr_small, nr_small + !order);
	spin_unlock(&lock);
	return true;
}

static struct page *give(struct list_head *list)
{
	struct page *page;

	spin_lock(&lock);
	page = list_first_entry_or_null(list, struct page, lru);
	if (page) {
		list_del(&page->lru);
		WRITE_ONCE(nr_small, nr_small - (list == &small));
	}
	spin_unlock(&lock);
	return page;
}

/* Leaves some large ones to be taken page by page, which are given back. */
static int take_all(void *unused)
{
	struct page *page;
	int i;

	while (!kthread_should_stop() && take(LARGE_ORDER, &large))
		cond_resched();
	for (i = 0; i < 16 && (page = give(&large)); i++)
		__free_pages(page, LARGE_ORDER);
	while (!kthread_should_stop()) {
		for (i = 0; i < 64 && take(0, &small); i++)
			cond_resched();
		usleep_range(pause, 2 * pause);
	}
	return 0;
}

static unsigned long count(struct shrinker *shrinker, struct shrink_control *control)
{
	return READ_ONCE(nr_small) ?: SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *control)
{
	unsigned long freed = 0;
	struct page *page;

	while (freed < control->nr_to_scan && (page = give(&small))) {
		__free_page(page);
		freed++;
	}
	/* Several CPUs may be here at the same time; it only matters that one was. */
	if (freed)
		WRITE_ONCE(given_back, freed);
	return freed ?: SHRINK_STOP;
}

static struct shrinker *asked;

static int begin(unsigned int usecs)
{
	int err;

	if (taker)
		return -EBUSY;
	asked = costack_shrinker_new("costack-test", count, scan);
	if (!asked)
		return -ENOMEM;
	given_back = 0;
	pause = usecs;
	taker = kthread_run(take_all, NULL, "costack_hog");
	if (IS_ERR(taker)) {
		err = PTR_ERR(taker);
		taker = NULL;
		costack_shrinker_free(asked);
		return err;
	}
	while (!READ_ONCE(given_back))
		usleep_range(50, 100);
	return 0;
}

/**
 * cst_hog_begin() - take all memory
 *
 * Context: Process context; may sleep. One caller at a time.
 * Return: 0 once memory is short, -EBUSY if it is already, or a negative errno.
 */
int cst_hog_begin(void)
{
	return begin(50);
}
EXPORT_SYMBOL_GPL(cst_hog_begin);

/**
 * cst_hog_end() - give it back
 *
 * Context: Process context; may sleep.
 * Return: whether memory was short: the kernel has asked for some.
 */
bool cst_hog_end(void)
{
	struct page *page;

	kthread_stop(taker);
	taker = NULL;
	costack_shrinker_free(asked);
	while ((page = give(&small)))
		__free_page(page);
	while ((page = give(&large)))
		__free_pages(page, LARGE_ORDER);
	return given_back;
}
EXPORT_SYMBOL_GPL(cst_hog_end);

static int set_hold(const char *value, const struct kernel_param *kp)
{
	/* Let others allocate, too. */
	if (sysfs_streq(value, "1"))
		return begin(1000);
	if (!sysfs_streq(value, "0"))
		return -EINVAL;
	if (taker)
		cst_hog_end();
	return 0;
}

static const struct kernel_param_ops hold_ops = {
	.set = set_hold,
};

module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "1: take all memory; 0: give it back");

static void __exit costack_test_hog_exit(void)
{
	if (taker)
		cst_hog_end();
}

module_exit(costack_test_hog_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The costack developers");
MODULE_DESCRIPTION("Tests of costack: memory pressure");
