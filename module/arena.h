/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address space for stacks: chunks of slots.
 */
#ifndef _COSTACK_ARENA_H
#define _COSTACK_ARENA_H

#include <linux/compiler.h>
#include <linux/const.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <asm/barrier.h>

struct costack;

/* Size classes: 1, 2, 4, 8, 16 pages. */
#define COSTACK_CLASSES		5
#define COSTACK_MAX_PAGES	(1U << (COSTACK_CLASSES - 1))

/*
 * A slot is twice the largest stack, so that even below a stack at its limit
 * there is as much unmapped guard as stack: a frame has to be larger than
 * 64 KiB to reach beyond.
 *
 *	slot start                                            hi (exclusive)
 *	|<----------- guard, not mapped ----------->|<-- stack -->|
 *	                                            lo
 */
#define COSTACK_SLOT_PAGES	(2U * COSTACK_MAX_PAGES)
#define COSTACK_SLOT_SIZE	(COSTACK_SLOT_PAGES * PAGE_SIZE)
#define COSTACK_CHUNK_SLOTS	64U
#define COSTACK_CHUNK_SIZE	(COSTACK_CHUNK_SLOTS * COSTACK_SLOT_SIZE)

/**
 * struct costack_slot - one stack's stretch of address space
 * @hi: first byte above the stack; constant
 * @ptep: entry of the page right below @hi; the pages below it have the
 *	entries before it; constant
 * @co: the coroutine that stands on this stack, or %NULL. Set and cleared by
 *	the thread that runs @co, while @co is not RUNNING; read by the fault
 *	path of that same thread, and by observers that only compare.
 * @pages: mapped pages, counted from @hi down; changed by the owner only
 * @class: size class that the pool counts it under
 * @counted: whether it does
 * @dirty: holds bytes of an earlier owner
 * @owner: whose bytes: the thread that last ran on it; compared, never followed
 * @owner_start: start time of @owner in ns, as a task_struct's address is reused
 * @next: link in a list of the pool or of the arena
 */
struct costack_slot {
	unsigned long		hi;
	pte_t			*ptep;
	struct costack		*co;
	unsigned int		pages;
	u8			class;
	bool			counted;
	bool			dirty;
	const void		*owner;
	u64			owner_start;
	struct costack_slot	*next;
};

/**
 * struct costack_chunk - slots reserved together
 * @base: address of the first slot, aligned to COSTACK_SLOT_SIZE
 * @area: what vmap() gave, one slot larger so that @base can be aligned
 * @next: list of all chunks, newest first; under the arena's grow_lock
 * @slots: one for each COSTACK_SLOT_SIZE from @base up
 */
struct costack_chunk {
	unsigned long		base;
	void			*area;
	struct costack_chunk	*next;
	struct costack_slot	slots[COSTACK_CHUNK_SLOTS];
};

/* Lowest mapped byte; == hi for an empty slot. */
static inline unsigned long costack_slot_lo(const struct costack_slot *slot)
{
	return slot->hi - slot->pages * PAGE_SIZE;
}

/* Lowest byte of the slot, guard included. */
static inline unsigned long costack_slot_start(const struct costack_slot *slot)
{
	return slot->hi - COSTACK_SLOT_SIZE;
}

struct costack_slot *costack_arena_get(gfp_t gfp);
void costack_arena_put(struct costack_slot *slots);
void costack_arena_map(struct costack_slot *slot, struct page *page);
struct page *costack_arena_unmap(struct costack_slot *slot);
unsigned long costack_arena_slots(void);
unsigned long costack_arena_free_slots(void);
int costack_arena_init(void);
void costack_arena_exit(void);

/*
 * Address -> chunk: open addressing, keyed by the address in units of the chunk
 * size. A chunk lies across at most two such units and is entered under both.
 * Neighbours have neighbouring keys, so the lowest bits are hash enough.
 */
#define COSTACK_TABLE_SIZE	4096U

extern struct costack_chunk *costack_arena_table[COSTACK_TABLE_SIZE];

static __always_inline unsigned int costack_table_index(unsigned long addr)
{
	return addr / COSTACK_CHUNK_SIZE % COSTACK_TABLE_SIZE;
}

/**
 * costack_arena_lookup() - find the slot that an address lies in
 * @addr: any address
 *
 * Inlined: each park and unpark begins with it, and nothing may be probed there.
 *
 * Context: Any context, any stack, the #DF stack included. Takes no lock.
 * Return: the slot, guard included, or %NULL if @addr is not in the arena.
 */
static __always_inline struct costack_slot *costack_arena_lookup(unsigned long addr)
{
	unsigned int i = costack_table_index(addr);
	struct costack_chunk *chunk;

	/* Pairs with the release in table_add(). */
	while ((chunk = smp_load_acquire(&costack_arena_table[i]))) {
		unsigned long offset = addr - chunk->base;

		if (likely(offset < COSTACK_CHUNK_SIZE))
			return &chunk->slots[offset / COSTACK_SLOT_SIZE];
		i = (i + 1) % COSTACK_TABLE_SIZE;
	}
	return NULL;
}

#endif /* _COSTACK_ARENA_H */
