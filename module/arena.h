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

#include "coroutine.h"

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
 * enum costack_use - who has stood on a stack
 * @COSTACK_FRESH: since it was mapped nobody, or nobody but who does now
 * @COSTACK_QUIET: as before; and no thread has slept on it
 * @COSTACK_CLEAN: others too, and it was cleared since
 * @COSTACK_DIRTY: others too, and it holds their bytes
 */
enum costack_use {
	COSTACK_FRESH,
	COSTACK_QUIET,
	COSTACK_CLEAN,
	COSTACK_DIRTY,
};

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
 * @use: an enum costack_use; changed by the owner only
 * @owner: whose bytes: the thread that last ran on it; compared, never followed. Of a
 *	fresh one: the thread that was to run on it next (see left.c)
 * @owner_start: start time of @owner in ns, as a task_struct's address is reused; of a
 *	fresh one: how often that thread had been switched out
 * @next: link in a list of the pool or of the arena
 */
struct costack_slot {
	unsigned long		hi;
	pte_t			*ptep;
	struct costack		*co;
	unsigned int		pages;
	u8			class;
	bool			counted;
	u8			use;
	const void		*owner;
	u64			owner_start;
	struct costack_slot	*next;
};

/**
 * struct costack_chunk - slots reserved together
 * @first: address of the first slot, in units of COSTACK_SLOT_SIZE
 * @area: what vmap() gave, one slot larger so that the first one can be aligned
 * @next: list of all chunks, newest first; under the arena's grow_lock
 * @slots: one for each COSTACK_SLOT_SIZE from there up
 */
struct costack_chunk {
	unsigned long		first;
	void			*area;
	struct costack_chunk	*next;
	struct costack_slot	slots[COSTACK_CHUNK_SLOTS];
};

/*
 * Lowest mapped byte; == hi for an empty slot. Who asks on the very stack may grow it
 * between any two instructions: see costack_arena_map().
 */
static inline unsigned long costack_slot_lo(const struct costack_slot *slot)
{
	return slot->hi - READ_ONCE(slot->pages) * PAGE_SIZE;
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
 * Neighbours have neighbouring keys: with a free entry beside each, the lowest bits
 * are hash enough.
 */
#define COSTACK_TABLE_SIZE	4096U

extern struct costack_chunk *costack_arena_table[COSTACK_TABLE_SIZE];

/* Of a slot: its address in units of the slot size. */
static __no_sanitize_or_inline unsigned long costack_table_index(unsigned long nr)
{
	return nr / COSTACK_CHUNK_SLOTS * 2 % COSTACK_TABLE_SIZE;
}

/*
 * The number of the slot that an address lies in.
 *
 * If that is the stack pointer, the stack may move between any two instructions. That
 * adjusts the address wherever it is, but nothing that was made of it. So all is made of
 * a number that no move takes for an address: it goes on meaning the slot that was left,
 * and that names its coroutine until it is freed.
 *
 * The checker does not know that, and refuses a number made of an address that lives
 * across a call. There is none here but those that a sanitizer adds: hence it is kept out.
 */
static __no_sanitize_or_inline unsigned long costack_slot_nr(unsigned long addr)
{
	unsigned long nr = addr / COSTACK_SLOT_SIZE;

	/* Not to be made of @addr again. */
	OPTIMIZER_HIDE_VAR(nr);
	return nr;
}

/* The chunk that has slot @nr, or %NULL. Context: as costack_arena_lookup(). */
static __no_sanitize_or_inline struct costack_chunk *costack_arena_chunk(unsigned long nr)
{
	unsigned long i = costack_table_index(nr);
	struct costack_chunk *chunk;

	/* Pairs with the release in table_add(). */
	while ((chunk = smp_load_acquire(&costack_arena_table[i]))) {
		if (likely(nr - chunk->first < COSTACK_CHUNK_SLOTS))
			break;
		i = (i + 1) % COSTACK_TABLE_SIZE;
	}
	return chunk;
}

/*
 * Slot @nr of its chunk. Not by an index of the array: CONFIG_UBSAN_BOUNDS adds a call to
 * each. Context: as costack_arena_lookup().
 */
static __no_sanitize_or_inline struct costack_slot *costack_arena_slot(struct costack_chunk *chunk,
								       unsigned long nr)
{
	struct costack_slot *slots = chunk->slots;

	return slots + (nr - chunk->first);
}

/**
 * costack_arena_lookup() - find the slot that an address lies in
 * @addr: any address
 *
 * Context: Any context, any stack, the #DF stack included. Takes no lock.
 * Return: the slot, guard included, or %NULL if @addr is not in the arena.
 */
static __no_sanitize_or_inline struct costack_slot *costack_arena_lookup(unsigned long addr)
{
	unsigned long nr = costack_slot_nr(addr);
	struct costack_chunk *chunk = costack_arena_chunk(nr);

	return chunk ? costack_arena_slot(chunk, nr) : NULL;
}

/**
 * costack_arena_at() - find the coroutine of the slot that an address lies in
 * @addr: any address
 *
 * Inlined: each park and unpark begins with it, and nothing may be probed there.
 *
 * Context: As costack_arena_lookup().
 * Return: the coroutine, or %NULL: not in the arena, or nobody's.
 */
static __no_sanitize_or_inline struct costack *costack_arena_at(unsigned long addr)
{
	unsigned long nr = costack_slot_nr(addr);
	struct costack_chunk *chunk = costack_arena_chunk(nr);

	return chunk ? costack_arena_slot(chunk, nr)->co : NULL;
}

/* costack_current(), inlined. Context: any, any stack. */
static __always_inline struct costack *__costack_current(void)
{
	return costack_arena_at(current_stack_pointer);
}

#endif /* _COSTACK_ARENA_H */
