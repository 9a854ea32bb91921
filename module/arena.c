// SPDX-License-Identifier: GPL-2.0
/*
 * Arena: the address space of all stacks.
 *
 * To reserve a chunk, add_chunk() maps one placeholder page over all of it and
 * removes the mapping again. The page tables stay in place, so from then on one
 * store maps a page, in any context, with no lock, no allocation and no flush.
 * Growth in a fault depends on this.
 *
 * Rules:
 *  - A slot on the free list has no mapped page and no stale TLB entry on any
 *    CPU. Code that unmaps must flush before costack_arena_put().
 *  - The module adds chunks while it is loaded and removes them only when it is
 *    unloaded, so costack_arena_lookup() needs no lock and no grace period.
 *  - No address of a stack has a lower half that reads as a small number, positive
 *    or negative. The stack may hold such a number in one half of a word whose other
 *    half is left over from an address, and a move would treat that word as an
 *    address.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <asm/costack.h>

#include "arena.h"

/* Chunks use at most three quarters of the table, so a probe always ends. */
#define MAX_CHUNKS	(COSTACK_TABLE_SIZE * 3 / 4 / 2)

/*
 * Written under @arena.grow_lock with a release that pairs with the acquire in
 * costack_arena_chunk(): a reader that finds a chunk sees it filled in.
 */
struct costack_chunk *costack_arena_table[COSTACK_TABLE_SIZE];

/* No address lies in it. */
static struct costack_slot nowhere;

/* Set at run time: the loader does not relocate initial values of a module's per-CPU variables. */
DEFINE_PER_CPU(struct costack_slot *, costack_arena_guess);

static void guess_nowhere(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(costack_arena_guess, cpu) = &nowhere;
}

/*
 * The distance that lower halves keep from 0. An area that lies nearer stays reserved and
 * unused, because vmap() would return it again: UNFIT_IN_4_GIB areas for every 4 GiB that
 * the chunks lie in.
 */
#define SMALL_NUMBERS	(64UL << 20)
#define UNFIT_IN_4_GIB	(DIV_ROUND_UP(2 * SMALL_NUMBERS, COSTACK_CHUNK_SIZE) + 2)
#define MAX_4_GIB	(DIV_ROUND_UP(MAX_CHUNKS * COSTACK_CHUNK_SIZE, 1UL << 32) + 1)
#define MAX_UNFIT	(UNFIT_IN_4_GIB * MAX_4_GIB)

static struct {
	/* Serialises adding chunks. Sleeping lock: taken in process context only. */
	struct mutex		grow_lock;
	struct costack_chunk	*chunks;
	unsigned int		nr_chunks;
	/* Areas that no chunk may use; under @grow_lock. */
	void			*unfit[MAX_UNFIT];
	unsigned int		nr_unfit;

	/* Protects @free and @nr_free. */
	spinlock_t		lock;
	struct costack_slot	*free;
	unsigned long		nr_free;
} arena = {
	.grow_lock	= __MUTEX_INITIALIZER(arena.grow_lock),
	.lock		= __SPIN_LOCK_UNLOCKED(arena.lock),
};

/* Enter @chunk in the table under the unit that slot @nr lies in. */
static void table_add(struct costack_chunk *chunk, unsigned long nr)
{
	unsigned long i = costack_table_index(nr);

	while (costack_arena_table[i])
		i = (i + 1) % COSTACK_TABLE_SIZE;
	/* Pairs with the acquire in costack_arena_chunk(). */
	smp_store_release(&costack_arena_table[i], chunk);
}

/* More pages than vmap() needs for the page tables of a chunk and for itself. */
#define VMAP_PAGES	16

/*
 * vmap() has no way to allow a failure: if it finds no memory for page tables, the kernel
 * kills a process. So call it only if there is enough memory.
 */
static bool may_vmap(gfp_t gfp)
{
	struct page *page, *tmp;
	LIST_HEAD(pages);
	unsigned int nr;

	for (nr = 0; nr < VMAP_PAGES; nr++) {
		page = alloc_page(gfp);
		if (!page)
			break;
		list_add(&page->lru, &pages);
	}
	list_for_each_entry_safe(page, tmp, &pages, lru)
		__free_page(page);
	return nr == VMAP_PAGES;
}

/* Make empty page tables for @nr pages of address space. */
static void *reserve_area(unsigned int nr, gfp_t gfp)
{
	struct page *placeholder, **pages;
	void *area = NULL;
	unsigned int i;

	placeholder = alloc_page(gfp);
	pages = kvmalloc_array(nr, sizeof(*pages), gfp);
	if (placeholder && pages && may_vmap(gfp)) {
		for (i = 0; i < nr; i++)
			pages[i] = placeholder;
		area = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	}
	for (i = 0; area && i < nr; i++) {
		unsigned long addr = (unsigned long)area + i * PAGE_SIZE;
		pte_t *ptep = costack_arch_pte(addr);

		if (WARN_ONCE(!ptep, "costack: no page table at %ps\n", area)) {
			vunmap(area);
			area = NULL;
			break;
		}
		costack_arch_set_pte(addr, ptep, NULL);
	}
	/* Free the placeholder only after this: now no CPU can write to it. */
	if (area)
		costack_arch_flush();
	kvfree(pages);
	if (placeholder)
		__free_page(placeholder);
	return area;
}

/* The slot-aligned address at which the slots of a chunk in @area begin. */
static unsigned long chunk_base(const void *area)
{
	return ALIGN((unsigned long)area, COSTACK_SLOT_SIZE);
}

static bool is_fit(const void *area)
{
	u32 lowest = chunk_base(area) - SMALL_NUMBERS;

	return !IS_ENABLED(CONFIG_64BIT) ||
	       lowest <= U32_MAX - 2 * SMALL_NUMBERS - COSTACK_CHUNK_SIZE;
}

/* Reserve an area for one chunk. */
static void *fit_area(gfp_t gfp)
{
	unsigned int nr = (COSTACK_CHUNK_SLOTS + 1) * COSTACK_SLOT_PAGES - 1;
	void *area;

	lockdep_assert_held(&arena.grow_lock);
	while ((area = reserve_area(nr, gfp)) && !is_fit(area)) {
		if (arena.nr_unfit == MAX_UNFIT) {
			pr_warn_once("no address space for stacks away from small numbers\n");
			vunmap(area);
			return NULL;
		}
		arena.unfit[arena.nr_unfit++] = area;
	}
	return area;
}

static int add_chunk(gfp_t gfp)
{
	struct costack_chunk *chunk;
	unsigned long base;
	unsigned int i;

	lockdep_assert_held(&arena.grow_lock);
	if (arena.nr_chunks == MAX_CHUNKS)
		return -ENOMEM;
	chunk = kvzalloc(sizeof(*chunk), gfp);
	if (!chunk)
		return -ENOMEM;
	chunk->area = fit_area(gfp);
	if (!chunk->area) {
		kvfree(chunk);
		return -ENOMEM;
	}
	base = chunk_base(chunk->area);
	chunk->first = base / COSTACK_SLOT_SIZE;
	for (i = 0; i < COSTACK_CHUNK_SLOTS; i++) {
		struct costack_slot *slot = &chunk->slots[i];

		slot->hi = base + (i + 1) * COSTACK_SLOT_SIZE;
		slot->ptep = costack_arch_pte(slot->hi - PAGE_SIZE);
		slot->next = i + 1 < COSTACK_CHUNK_SLOTS ? slot + 1 : NULL;
	}
	chunk->next = arena.chunks;
	/* Pairs with the acquire in costack_arena_each(). */
	smp_store_release(&arena.chunks, chunk);
	arena.nr_chunks++;
	table_add(chunk, chunk->first);
	if (chunk->first % COSTACK_CHUNK_SLOTS)
		table_add(chunk, chunk->first + COSTACK_CHUNK_SLOTS - 1);
	costack_arena_put(chunk->slots);
	return 0;
}

static struct costack_slot *pop_free(void)
{
	struct costack_slot *slot;

	spin_lock(&arena.lock);
	slot = arena.free;
	if (slot) {
		arena.free = slot->next;
		arena.nr_free--;
	}
	spin_unlock(&arena.lock);
	return slot;
}

/**
 * costack_arena_get() - take an empty slot
 * @gfp: how to allocate another chunk if no slot is free. If it must not block, none is made,
 *	because vmap() may always sleep
 *
 * Context: Process context, any stack; may sleep if @gfp allows it.
 * Return: a slot with no page mapped and no stale TLB entry anywhere, or %NULL.
 */
struct costack_slot *costack_arena_get(gfp_t gfp)
{
	struct costack_slot *slot = pop_free();
	int err = 0;

	while (!slot && !err && gfpflags_allow_blocking(gfp)) {
		mutex_lock(&arena.grow_lock);
		slot = pop_free();
		if (!slot)
			err = add_chunk(gfp);
		mutex_unlock(&arena.grow_lock);
		if (!slot)
			slot = pop_free();
	}
	if (slot)
		slot->next = NULL;
	return slot;
}

/**
 * costack_arena_fill() - make slots
 * @nr: how many free ones there are to be
 * @gfp: how to allocate; must allow to block
 *
 * For callers of costack_arena_get() that must not block.
 *
 * Context: Process context, any stack; may sleep.
 * Return: true if slots were lacking, and some have been made.
 */
bool costack_arena_fill(unsigned long nr, gfp_t gfp)
{
	bool more = false;

	mutex_lock(&arena.grow_lock);
	while (READ_ONCE(arena.nr_free) < nr && !add_chunk(gfp))
		more = true;
	mutex_unlock(&arena.grow_lock);
	return more;
}

/**
 * costack_arena_put() - give empty slots back
 * @slots: list linked by @next; each slot is unmapped, and all CPUs have been flushed since
 *
 * Context: Process context.
 */
void costack_arena_put(struct costack_slot *slots)
{
	struct costack_slot *last = slots;
	unsigned long nr = 1;

	if (!slots)
		return;
	for (; last->next; last = last->next)
		nr++;
	spin_lock(&arena.lock);
	last->next = arena.free;
	arena.free = slots;
	arena.nr_free += nr;
	spin_unlock(&arena.lock);
}

/**
 * costack_arena_map() - map one more page below a stack
 * @slot: slot of the stack; has fewer than COSTACK_MAX_PAGES
 * @page: page to map
 *
 * Context: Any; the fault path uses this. The caller owns @slot.
 */
void costack_arena_map(struct costack_slot *slot, struct page *page)
{
	unsigned long addr = costack_slot_lo(slot) - PAGE_SIZE;

	costack_arch_set_pte(addr, slot->ptep - slot->pages, page);
	/* Pairs with costack_slot_lo(), which may run on this very stack. */
	WRITE_ONCE(slot->pages, slot->pages + 1);
}
NOKPROBE_SYMBOL(costack_arena_map);

/**
 * costack_arena_unmap() - take the lowest page from a stack
 * @slot: slot of the stack; has at least one page
 *
 * Until costack_arch_flush() a CPU may still write to the page through a stale TLB
 * entry. Before that, neither free the page nor map another one in its place.
 *
 * Context: Process context. The caller owns @slot.
 * Return: the page that was mapped.
 */
struct page *costack_arena_unmap(struct costack_slot *slot)
{
	pte_t *ptep = slot->ptep - (slot->pages - 1);
	struct page *page = pte_page(*ptep);

	costack_arch_set_pte(costack_slot_lo(slot), ptep, NULL);
	slot->pages--;
	return page;
}

/**
 * costack_slot_node() - the NUMA node that a stack belongs to
 * @slot: the stack; has a page
 *
 * Context: Any.
 * Return: the node of the page at the top.
 */
int costack_slot_node(const struct costack_slot *slot)
{
	return page_to_nid(pte_page(*slot->ptep));
}

/**
 * costack_slot_is_remote() - does a stack belong to another NUMA node
 * @slot: the stack; has a page
 *
 * Context: Any. Without preemption off the answer is a hint.
 * Return: true if it is slower for this CPU than a stack of its own node.
 */
bool costack_slot_is_remote(const struct costack_slot *slot)
{
	return costack_slot_node(slot) != numa_mem_id();
}

/**
 * costack_arena_slots() - how many slots there are
 *
 * Context: Any; the figure may be out of date.
 * Return: slots in all chunks.
 */
unsigned long costack_arena_slots(void)
{
	return (unsigned long)READ_ONCE(arena.nr_chunks) * COSTACK_CHUNK_SLOTS;
}

/**
 * costack_arena_free_slots() - how many slots are free
 *
 * Context: Any; the figure may be out of date.
 * Return: slots on the free list.
 */
unsigned long costack_arena_free_slots(void)
{
	return READ_ONCE(arena.nr_free);
}

/**
 * costack_arena_each() - look at all slots
 * @fn: called for each slot, whoever uses it
 * @arg: passed to @fn
 *
 * Context: Any; @fn may sleep if the caller may.
 */
void costack_arena_each(void (*fn)(struct costack_slot *slot, void *arg), void *arg)
{
	struct costack_chunk *chunk;
	unsigned int i;

	/* Pairs with the release in add_chunk(). */
	for (chunk = smp_load_acquire(&arena.chunks); chunk; chunk = chunk->next)
		for (i = 0; i < COSTACK_CHUNK_SLOTS; i++)
			fn(&chunk->slots[i], arg);
}

/**
 * costack_arena_init() - reserve the first chunk
 *
 * Before this nobody may look for the coroutine of a stack, see costack_arena_at().
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM.
 */
int costack_arena_init(void)
{
	int err;

	guess_nowhere();
	mutex_lock(&arena.grow_lock);
	err = add_chunk(GFP_KERNEL);
	mutex_unlock(&arena.grow_lock);
	return err;
}

/**
 * costack_arena_exit() - give all address space back
 *
 * Every slot must be on the free list. If slots are missing, this warns with their
 * number, and leaks all chunks rather than unmap one that is in use.
 *
 * Context: Process context; nobody uses the arena any more.
 */
void costack_arena_exit(void)
{
	bool leak = WARN(arena.nr_free != costack_arena_slots(),
			 "costack: %lu of %lu slots were not given back\n",
			 costack_arena_slots() - arena.nr_free, costack_arena_slots());

	guess_nowhere();
	while (arena.chunks) {
		struct costack_chunk *chunk = arena.chunks;

		arena.chunks = chunk->next;
		if (leak)
			continue;
		vunmap(chunk->area);
		kvfree(chunk);
	}
	while (arena.nr_unfit)
		vunmap(arena.unfit[--arena.nr_unfit]);
	arena.nr_chunks = 0;
	arena.nr_free = 0;
	arena.free = NULL;
	memset(costack_arena_table, 0, sizeof(costack_arena_table));
}
