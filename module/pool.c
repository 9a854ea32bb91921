// SPDX-License-Identifier: GPL-2.0
/*
 * Pool: stacks kept mapped for reuse, and reserves (Go's stackalloc, stackfree).
 *
 * Two levels, as in Go: a cache for each CPU, used with preemption off and no
 * lock, and for each NUMA node a list for each size class that all CPUs share. A stack
 * that has grown returns to the class of its new size. The pool unmaps stacks that
 * exceed the share of the shared lists or that the shrinker wants: many stacks in one
 * grace period and one TLB flush.
 *
 * Everything here runs in process context and may run on a coroutine stack. Growth
 * may even interrupt it at any instruction; that is sound because growth takes from
 * the coroutine's own reserve and enters none of the functions of this file.
 *
 * Bytes of earlier owners: a stack that was used is dirty, and the pool clears it
 * before anybody gets it. The exceptions are a thread that calls again, and the items of one
 * module: see costack_stack_clean().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/topology.h>

#include "compat.h"
#include "copy.h"
#include "limbo.h"
#include "pool.h"
#include "stats.h"

/* Pages of each class that one CPU keeps (Go's _StackCacheSize), and that all CPUs share. */
#define CPU_KEEP_PAGES		16U
#define SHARED_KEEP_PAGES	256U
#define CPU_KEEP_RESERVES	1U

/**
 * struct cpu_cache - what one CPU keeps
 * @last: the stack of one page that was freed last, or %NULL; taken and put by one exchange, which
 *	no migration can divide
 * @stacks: by class, linked by their @next
 * @nr: how many of each
 * @reserves: full reserves, linked by their @link
 * @nr_reserves: how many
 *
 * Only its own CPU uses it, with preemption off where it needs more than one step.
 */
struct cpu_cache {
	struct costack_slot	*last;
	struct costack_slot	*stacks[COSTACK_CLASSES];
	unsigned int		nr[COSTACK_CLASSES];
	struct costack_reserve	*reserves;
	unsigned int		nr_reserves;
};

static DEFINE_PER_CPU(struct cpu_cache, cpu_cache);

/**
 * struct shared - the stacks of a NUMA node that no CPU keeps
 * @lock: see below
 * @stacks: by class, linked by their @next
 * @nr: how many of each
 *
 * A stack belongs to the node of the page at its top.
 */
struct shared {
	/* Protects the whole structure; taken in process context only. */
	spinlock_t		lock;
	struct costack_slot	*stacks[COSTACK_CLASSES];
	unsigned int		nr[COSTACK_CLASSES];
} ____cacheline_aligned_in_smp;

/* One for each node. */
static struct shared *shared;

DEFINE_STATIC_KEY_FALSE(costack_many_nodes);

/* Number of existing stacks of each class, wherever they are. */
static atomic_long_t nr_stacks[COSTACK_CLASSES];

static unsigned int keep(unsigned int pages, unsigned int class)
{
	return max(pages >> class, 1U);
}

/* WRITE_ONCE(): other code reads the numbers of the shared lists without the lock. */
static void push(struct costack_slot **list, unsigned int *nr, struct costack_slot *slot)
{
	slot->next = *list;
	*list = slot;
	WRITE_ONCE(*nr, *nr + 1);
}

static struct costack_slot *pop(struct costack_slot **list, unsigned int *nr)
{
	struct costack_slot *slot = *list;

	if (slot) {
		*list = slot->next;
		slot->next = NULL;
		WRITE_ONCE(*nr, *nr - 1);
	}
	return slot;
}

/**
 * costack_stack_clear() - clear a stack that holds somebody's bytes
 * @slot: the stack
 *
 * Context: Process context, any stack but @slot's.
 */
void costack_stack_clear(struct costack_slot *slot)
{
	memset64((void *)costack_slot_lo(slot), 0, slot->pages * PAGE_SIZE / sizeof(u64));
	slot->use = COSTACK_CLEAN;
}

static void uncount(struct costack_slot *list)
{
	struct costack_slot *slot;

	for (slot = list; slot; slot = slot->next) {
		if (slot->counted)
			atomic_long_dec(&nr_stacks[slot->class]);
		slot->counted = false;
	}
}

/**
 * costack_stack_unmap() - give stacks' memory back at once, and keep their addresses
 * @list: as for costack_limbo_unmap()
 *
 * Context: As for costack_limbo_unmap().
 */
void costack_stack_unmap(struct costack_slot *list)
{
	uncount(list);
	costack_limbo_unmap(list);
}

/**
 * costack_stack_limbo() - unmap stacks as soon as that is safe
 * @list: as for costack_limbo_add()
 *
 * Context: As for costack_limbo_add().
 */
void costack_stack_limbo(struct costack_slot *list)
{
	uncount(list);
	costack_limbo_add(list);
}

/* Take up to @max stacks of @class off a node's list, and leave @keep_nr there. */
static unsigned int take_shared(struct shared *from, unsigned int class, unsigned int keep_nr,
				unsigned int max, struct costack_slot **list)
{
	struct costack_slot *slot;
	unsigned int n = 0;

	spin_lock(&from->lock);
	while (n < max && from->nr[class] > keep_nr) {
		slot = pop(&from->stacks[class], &from->nr[class]);
		slot->next = *list;
		*list = slot;
		n++;
	}
	spin_unlock(&from->lock);
	return n;
}

/* Trim the lists of a node to half, so that the next free does not trim again. */
static void trim(struct shared *from)
{
	struct costack_slot *list = NULL;
	unsigned int class;

	for (class = 0; class < COSTACK_CLASSES; class++)
		take_shared(from, class, keep(SHARED_KEEP_PAGES, class) / 2, UINT_MAX, &list);
	costack_stack_limbo(list);
}

static struct costack_slot *try_new_stack(unsigned int class, gfp_t gfp)
{
	struct costack_slot *slot = costack_arena_get(gfp);
	struct page *page;

	if (!slot)
		return NULL;
	while (slot->pages < 1U << class) {
		page = alloc_page(gfp);
		if (!page) {
			/* Nobody has used it. */
			costack_limbo_unmap(slot);
			costack_arena_put(slot);
			return NULL;
		}
		costack_arena_map(slot, page);
	}
	costack_stack_clear(slot);
	slot->use = COSTACK_FRESH;
	slot->class = class;
	slot->counted = true;
	atomic_long_inc(&nr_stacks[class]);
	return slot;
}

static noinline struct costack_slot *new_stack(unsigned int class, gfp_t gfp)
{
	unsigned int ended = costack_limbo_ended();
	struct costack_slot *slot;

	do
		slot = try_new_stack(class, gfp);
	while (unlikely(!slot) && costack_limbo_wait(gfp, &ended));
	return slot;
}

/* The stack is not the last one that this CPU has freed. */
static noinline struct costack_slot *alloc_other(unsigned int class, struct costack_owner user,
						 gfp_t gfp)
{
	struct cpu_cache *cache;
	struct costack_slot *slot;
	struct shared *near;

	if (unlikely(READ_ONCE(costack_knobs.unmap)))
		return new_stack(class, gfp);
	cache = get_cpu_ptr(&cpu_cache);
	slot = pop(&cache->stacks[class], &cache->nr[class]);
	near = &shared[numa_mem_id()];
	put_cpu_ptr(&cpu_cache);
	if (!slot && READ_ONCE(near->nr[class])) {
		spin_lock(&near->lock);
		slot = pop(&near->stacks[class], &near->nr[class]);
		spin_unlock(&near->lock);
	}
	if (!slot)
		return new_stack(class, gfp);
	costack_stack_clean(slot, user);
	return slot;
}

/**
 * costack_stackalloc_for() - get a stack (Go's stackalloc)
 * @class: its size class
 * @user: who is to use it
 * @gfp: how to allocate if the pool has none
 *
 * With the knob unmap the stack is always a new one.
 *
 * Context: Process context, any stack; may sleep.
 * Return: a stack of 1 << @class pages that holds nobody's bytes, or bytes that @user left
 * there; %NULL if there is no memory.
 */
struct costack_slot *costack_stackalloc_for(unsigned int class, struct costack_owner user,
					    gfp_t gfp)
{
	struct costack_slot *slot;

	if (class || unlikely(READ_ONCE(costack_knobs.unmap)))
		return alloc_other(class, user, gfp);
	slot = this_cpu_xchg(cpu_cache.last, NULL);
	if (unlikely(!slot))
		return alloc_other(0, user, gfp);
	costack_stack_clean(slot, user);
	return slot;
}

/* Keep a stack that nobody uses and that is noted as soiled. As put_stack(). */
static noinline bool put_other(struct costack_slot *slot)
{
	unsigned int class = slot->class;
	struct cpu_cache *cache;
	struct shared *home;
	bool over;

	cache = get_cpu_ptr(&cpu_cache);
	/* Of one page there may be @last besides. */
	if (cache->nr[class] + !class < keep(CPU_KEEP_PAGES, class) &&
	    !costack_stack_is_remote(slot)) {
		push(&cache->stacks[class], &cache->nr[class], slot);
		slot = NULL;
	}
	put_cpu_ptr(&cpu_cache);
	if (!slot)
		return true;

	home = &shared[costack_slot_node(slot)];
	spin_lock(&home->lock);
	push(&home->stacks[class], &home->nr[class], slot);
	over = home->nr[class] > keep(SHARED_KEEP_PAGES, class);
	spin_unlock(&home->lock);
	if (over)
		trim(home);
	return !over;
}

/* A stack that has grown. As put_stack(). */
static noinline bool put_grown(struct costack_slot *slot, struct costack_owner owner)
{
	unsigned int class = costack_class(slot->pages);

	slot->co = NULL;
	/* It grew beyond its limit, so it belongs to no class. */
	if (unlikely(!is_power_of_2(slot->pages))) {
		slot->next = NULL;
		costack_stack_limbo(slot);
		return false;
	}
	if (class != slot->class) {
		atomic_long_dec(&nr_stacks[slot->class]);
		atomic_long_inc(&nr_stacks[class]);
		slot->class = class;
	}
	costack_stack_soil(slot, owner);
	return put_other(slot);
}

/* Returns false if stacks had to go to limbo. */
static __always_inline bool put_stack(struct costack_slot *slot, struct costack_owner owner)
{
	if (slot->pages > 1 || unlikely(slot->class))
		return put_grown(slot, owner);
	slot->co = NULL;
	costack_stack_soil(slot, owner);
	if (likely(!costack_stack_is_remote(slot))) {
		slot = this_cpu_xchg(cpu_cache.last, slot);
		if (likely(!slot))
			return true;
	}
	return put_other(slot);
}

/**
 * costack_stackfree_of() - keep a stack for reuse (Go's stackfree)
 * @slot: nobody uses it any more
 * @owner: the only one that has used it since it was clear, and may get it uncleared
 *
 * Context: Process context, any stack but @slot's; may sleep.
 */
void costack_stackfree_of(struct costack_slot *slot, struct costack_owner owner)
{
	if (!put_stack(slot, owner))
		costack_limbo_drain();
}

/**
 * costack_stackfree_soon() - keep a stack for reuse, and do not wait for limbo
 * @slot: as for costack_stackfree_of()
 * @owner: likewise
 *
 * Context: Process context, any stack but @slot's.
 */
void costack_stackfree_soon(struct costack_slot *slot, struct costack_owner owner)
{
	put_stack(slot, owner);
}

/* Get a stack for copystack to move to. It holds nobody's bytes, whoever gets it. */
static struct costack_slot *next_stack(unsigned int class, gfp_t gfp)
{
	struct costack_slot *slot = costack_stackalloc_for(class, (struct costack_owner) { }, gfp);

	if (slot && READ_ONCE(costack_knobs.poison))
		memset((void *)costack_slot_lo(slot), COSTACK_POISON_NEW,
		       slot->pages * PAGE_SIZE);
	return slot;
}

static struct page *new_page(gfp_t gfp)
{
	unsigned int ended = costack_limbo_ended();
	struct page *page;

	do
		page = alloc_page(gfp);
	while (unlikely(!page) && costack_limbo_wait(gfp, &ended));
	if (page)
		memset64(page_address(page), 0, PAGE_SIZE / sizeof(u64));
	return page;
}

/* Fill @reserve for growth up to @pages. On failure it keeps what was added. */
static noinline int fill(struct costack_reserve *reserve, unsigned int pages, bool copies,
			 gfp_t gfp)
{
	unsigned int class;

	/* The stack has at least one page already. */
	while (reserve->nr_pages < pages - 1 + COSTACK_BEYOND_LIMIT) {
		struct page *page = new_page(gfp);

		if (!page)
			return -ENOMEM;
		reserve->pages[reserve->nr_pages++] = page;
	}
	for (class = 1; copies && class <= costack_class(pages); class++) {
		if (reserve->next[class])
			continue;
		reserve->next[class] = next_stack(class, gfp);
		if (!reserve->next[class])
			return -ENOMEM;
	}
	reserve->full_pages = pages;
	if (copies)
		reserve->full_copies = pages;
	return 0;
}

/* Free the stacks that moves have left. Each coroutine that moved has been switched out since. */
static void free_retired(struct costack_reserve *reserve)
{
	while (reserve->retired) {
		struct costack_slot *slot = reserve->retired;

		reserve->retired = slot->next;
		slot->next = NULL;
		costack_stackfree(slot);
	}
}

static void release(struct costack_reserve *reserve)
{
	unsigned int class;

	while (reserve->nr_pages)
		__free_page(reserve->pages[--reserve->nr_pages]);
	for (class = 0; class < COSTACK_CLASSES; class++)
		if (reserve->next[class])
			costack_stackfree(reserve->next[class]);
	kfree(reserve);
}

static noinline struct costack_reserve *new_reserve(gfp_t gfp)
{
	unsigned int ended = costack_limbo_ended();
	struct costack_reserve *reserve;

	do
		reserve = kzalloc(sizeof(*reserve), gfp);
	while (unlikely(!reserve) && costack_limbo_wait(gfp, &ended));
	return reserve;
}

/**
 * costack_reserve_get() - take the memory to grow with
 * @pages: limit of the growth, in pages
 * @copies: whether the caller also wants stacks to move to
 * @gfp: how to allocate what the reserve lacks
 *
 * Context: Process context, any stack; may sleep.
 * Return: a full reserve, or %NULL if there is no memory.
 */
struct costack_reserve *costack_reserve_get(unsigned int pages, bool copies, gfp_t gfp)
{
	struct cpu_cache *cache = get_cpu_ptr(&cpu_cache);
	struct costack_reserve *reserve = cache->reserves;

	if (reserve) {
		cache->reserves = reserve->link;
		cache->nr_reserves--;
	}
	put_cpu_ptr(&cpu_cache);

	if (!reserve)
		reserve = new_reserve(gfp);
	if (!reserve)
		return NULL;
	if (likely(costack_reserve_full(reserve, pages, copies)))
		return reserve;
	if (fill(reserve, pages, copies, gfp)) {
		costack_reserve_put(reserve);
		return NULL;
	}
	return reserve;
}

/**
 * costack_reserve_put() - give a reserve back, used or not
 * @reserve: from costack_reserve_get()
 *
 * Context: Process context, any stack but a retired one; may sleep.
 */
void costack_reserve_put(struct costack_reserve *reserve)
{
	struct cpu_cache *cache;

	free_retired(reserve);
	cache = get_cpu_ptr(&cpu_cache);
	if (cache->nr_reserves < CPU_KEEP_RESERVES) {
		reserve->link = cache->reserves;
		cache->reserves = reserve;
		cache->nr_reserves++;
		reserve = NULL;
	}
	put_cpu_ptr(&cpu_cache);
	if (reserve)
		release(reserve);
}

/**
 * costack_reserve_fill() - the slow half of costack_reserve_refill()
 * @reserve: reserve of a coroutine that is switched out
 * @pages: limit of the growth, in pages
 * @copies: whether the caller also wants stacks to move to
 *
 * Context: Process context, host stack; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_reserve_fill(struct costack_reserve *reserve, unsigned int pages, bool copies)
{
	free_retired(reserve);
	return fill(reserve, pages, copies, COSTACK_GFP);
}

/**
 * costack_pool_stacks() - count the stacks of a size class
 * @class: the size class
 *
 * A stack that has grown in place counts under its first class until it is freed.
 *
 * Context: Any; the figure may be out of date.
 * Return: number of existing stacks: in use, in a reserve, or kept.
 */
unsigned long costack_pool_stacks(unsigned int class)
{
	return atomic_long_read(&nr_stacks[class]);
}

/* Count the pages that the shared lists could give back. */
static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long pages = 0;
	unsigned int class;
	int node;

	for_each_node(node)
		for (class = 0; class < COSTACK_CLASSES; class++)
			pages += (unsigned long)READ_ONCE(shared[node].nr[class]) << class;
	return pages ?: SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct costack_slot *list = NULL;
	unsigned long pages = 0;
	int class, node;

	for (class = COSTACK_CLASSES - 1; class >= 0; class--) {
		for_each_node(node) {
			unsigned long left = sc->nr_to_scan - min(pages, sc->nr_to_scan);
			unsigned int want = DIV_ROUND_UP(left, 1UL << class);

			pages += (unsigned long)take_shared(&shared[node], class, 0, want,
							    &list) << class;
		}
	}
	/* Reclaim must not wait for the grace period. */
	costack_stack_limbo(list);
	return pages ?: SHRINK_STOP;
}

static struct shrinker *pool_shrinker;

/**
 * costack_pool_init() - start with empty caches and a shrinker
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_pool_init(void)
{
	int node, err = costack_limbo_init();

	if (err)
		return err;
	shared = kcalloc(nr_node_ids, sizeof(*shared), GFP_KERNEL);
	if (!shared)
		goto err_limbo;
	for (node = 0; node < nr_node_ids; node++)
		spin_lock_init(&shared[node].lock);
	if (nr_node_ids > 1)
		static_branch_enable(&costack_many_nodes);
	pool_shrinker = costack_shrinker_new("costack", shrink_count, shrink_scan);
	if (!pool_shrinker)
		goto err_shared;
	return 0;

err_shared:
	kfree(shared);
err_limbo:
	costack_limbo_exit();
	return -ENOMEM;
}

/**
 * costack_pool_exit() - give all stacks back to the arena
 *
 * Context: Process context; no coroutine lives.
 */
void costack_pool_exit(void)
{
	struct costack_slot *list = NULL;
	unsigned int class;
	int cpu, node;

	costack_shrinker_free(pool_shrinker);
	for_each_possible_cpu(cpu) {
		struct cpu_cache *cache = per_cpu_ptr(&cpu_cache, cpu);

		while (cache->reserves) {
			struct costack_reserve *reserve = cache->reserves;

			cache->reserves = reserve->link;
			release(reserve);
		}
		cache->nr_reserves = 0;
	}
	for_each_possible_cpu(cpu) {
		struct cpu_cache *cache = per_cpu_ptr(&cpu_cache, cpu);

		if (cache->last) {
			cache->last->next = list;
			list = cache->last;
			cache->last = NULL;
		}
		for (class = 0; class < COSTACK_CLASSES; class++) {
			struct costack_slot *slot;

			while ((slot = pop(&cache->stacks[class], &cache->nr[class]))) {
				slot->next = list;
				list = slot;
			}
		}
	}
	for_each_node(node)
		for (class = 0; class < COSTACK_CLASSES; class++)
			take_shared(&shared[node], class, 0, UINT_MAX, &list);
	costack_stack_limbo(list);
	costack_limbo_exit();
	kfree(shared);
}
