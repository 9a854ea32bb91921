// SPDX-License-Identifier: GPL-2.0
/*
 * Memory pressure: a thread that takes all pages, and a shrinker that gives some
 * back when the kernel reclaims. So whoever allocates goes the long way, through
 * reclaim, and gets what it asked for in the end.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>

#include "costack_test.h"
#include "hog.h"

/* Pages of each order are taken until there are no more; small ones go first. */
#define LARGE_ORDER	9

static LIST_HEAD(large);
static LIST_HEAD(small);
static DEFINE_SPINLOCK(lock);
static unsigned long nr_small;
static unsigned long given_back;
static struct cst_thread taker;
static bool stop;

static bool take(unsigned int order, struct list_head *list)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	/* Large ones are not worth reclaim. */
	if (order)
		gfp &= ~__GFP_RECLAIM;
	page = alloc_pages(gfp, order);
	if (!page)
		return false;
	spin_lock(&lock);
	list_add(&page->lru, list);
	nr_small += !order;
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
		nr_small -= list == &small;
	}
	spin_unlock(&lock);
	return page;
}

/* Leaves some large ones to be taken page by page: those are what is given back. */
static int take_all(void *unused)
{
	struct page *page;
	int i;

	while (!READ_ONCE(stop) && take(LARGE_ORDER, &large))
		cond_resched();
	for (i = 0; i < 16 && (page = give(&large)); i++)
		__free_pages(page, LARGE_ORDER);
	while (!READ_ONCE(stop)) {
		for (i = 0; i < 64 && take(0, &small); i++)
			cond_resched();
		usleep_range(50, 100);
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
	WRITE_ONCE(given_back, given_back + freed);
	return freed ?: SHRINK_STOP;
}

static struct shrinker shrinker = {
	.count_objects	= count,
	.scan_objects	= scan,
	.seeks		= DEFAULT_SEEKS,
};

/**
 * cst_hog_begin() - take all memory
 *
 * Context: Process context; may sleep. One caller at a time.
 * Return: 0 once memory is short, or a negative errno.
 */
int cst_hog_begin(void)
{
	int err = register_shrinker(&shrinker, "costack-test");

	if (err)
		return err;
	stop = false;
	given_back = 0;
	err = cst_thread_start(&taker, CST_ANY_CPU, take_all, NULL);
	if (err) {
		unregister_shrinker(&shrinker);
		return err;
	}
	while (!READ_ONCE(given_back) && !completion_done(&taker.done))
		usleep_range(1000, 2000);
	return 0;
}

/**
 * cst_hog_end() - give it back
 *
 * Context: Process context; may sleep.
 * Return: whether memory was short: the kernel has asked for some.
 */
bool cst_hog_end(void)
{
	struct page *page;

	WRITE_ONCE(stop, true);
	wait_for_completion(&taker.done);
	unregister_shrinker(&shrinker);
	while ((page = give(&small)))
		__free_page(page);
	while ((page = give(&large)))
		__free_pages(page, LARGE_ORDER);
	return given_back;
}
