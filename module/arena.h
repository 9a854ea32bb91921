/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address space for stacks: chunks of slots.
 */
#ifndef _COSTACK_ARENA_H
#define _COSTACK_ARENA_H

#include <linux/compiler.h>
#include <linux/const.h>
#include <linux/mm.h>
#include <linux/percpu-defs.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "coroutine.h"

/*
 * A slot is twice as large as the largest stack, so that even a stack at its limit
 * has as much unmapped guard below it as stack: only a frame larger than 64 KiB can
 * reach beyond the guard.
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
 * enum costack_use - who has used a stack since it was mapped
 * @COSTACK_FRESH: nobody, or only the current user
 * @COSTACK_QUIET: as %COSTACK_FRESH, and no thread has slept on it
 * @COSTACK_CLEAN: others too, and it has been cleared since
 * @COSTACK_DIRTY: others too, and it holds their bytes
 * @COSTACK_HOME: nobody, ever: its addresses stand for those of packed stacks, see pack.c
 */
enum costack_use {
	COSTACK_FRESH,
	COSTACK_QUIET,
	COSTACK_CLEAN,
	COSTACK_DIRTY,
	COSTACK_HOME,
};

/**
 * struct costack_slot - the address space of one stack
 * @hi: first byte above the stack; constant
 * @ptep: page-table entry of the page right below @hi; the pages below it have the
 *	entries before it; constant
 * @co: the coroutine that uses this stack, or %NULL. The thread that runs @co sets
 *	and clears it, while @co is not RUNNING; the fault path of that same thread
 *	reads it, and so do observers that only compare.
 * @pages: mapped pages, counted from @hi down; only the owner changes it
 * @class: size class that the pool counts the stack under
 * @counted: whether the pool counts it
 * @use: an enum costack_use; only the owner changes it
 * @owner: who has left its bytes there, see struct costack_owner. For a fresh stack: the
 *	thread that was to run on it next (see left.c)
 * @owner_start: tells @owner from others that had the same address. For a fresh stack: how
 *	often @owner had been switched out
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
 * @area: what vmap() returned; one slot larger, so that the first slot can be aligned
 * @next: list of all chunks, newest first; constant once the chunk is on it
 * @slots: one for each COSTACK_SLOT_SIZE from @first up
 */
struct costack_chunk {
	unsigned long		first;
	void			*area;
	struct costack_chunk	*next;
	struct costack_slot	slots[COSTACK_CHUNK_SLOTS];
};

/*
 * Lowest mapped byte; == hi for an empty slot. If the caller runs on this very stack, the
 * stack may grow between any two instructions: see costack_arena_map().
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
bool costack_arena_fill(unsigned long nr, gfp_t gfp);
void costack_arena_put(struct costack_slot *slots);
void costack_arena_map(struct costack_slot *slot, struct page *page);
struct page *costack_arena_unmap(struct costack_slot *slot);
unsigned long costack_arena_slots(void);
unsigned long costack_arena_free_slots(void);
int costack_slot_node(const struct costack_slot *slot);
bool costack_slot_is_remote(const struct costack_slot *slot);
void costack_arena_each(void (*fn)(struct costack_slot *slot, void *arg), void *arg);
int costack_arena_init(void);
void costack_arena_exit(void);

/*
 * Address -> chunk: open addressing, keyed by the address in units of the chunk
 * size. A chunk spans at most two such units and is entered under both. Neighbouring
 * chunks have neighbouring keys, and the index leaves a free entry beside each key, so
 * the lowest bits suffice as a hash.
 */
#define COSTACK_TABLE_SIZE	8192U

extern struct costack_chunk *costack_arena_table[COSTACK_TABLE_SIZE];

/* Index in the table for slot @nr: its address in units of the slot size. */
static __no_sanitize_or_inline unsigned long costack_table_index(unsigned long nr)
{
	return nr / COSTACK_CHUNK_SLOTS * 2 % COSTACK_TABLE_SIZE;
}

/*
 * The number of the slot that an address lies in.
 *
 * If @addr is the stack pointer, the stack may move between any two instructions. A move
 * adjusts the address wherever it is, but no value derived from it. So the callers derive
 * everything from a number that no move treats as an address: after a move it still means
 * the old slot, which names its coroutine until that slot is freed.
 *
 * The checker does not know this, and refuses a number that is derived from an address and
 * lives across a call. The only calls here are those that a sanitizer would add, so these
 * functions are not instrumented.
 */
static __no_sanitize_or_inline unsigned long costack_slot_nr(unsigned long addr)
{
	unsigned long nr = addr / COSTACK_SLOT_SIZE;

	/* Keep the compiler from deriving it from @addr again. */
	OPTIMIZER_HIDE_VAR(nr);
	return nr;
}

/* The chunk that has slot @nr, or %NULL. Context: as for costack_arena_lookup(). */
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
 * Slot @nr of its chunk. It does not index the array, as CONFIG_UBSAN_BOUNDS adds a call to
 * each index. Context: as for costack_arena_lookup().
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

/*
 * For each CPU, the slot that a stack pointer was last found in there, or one that no address
 * lies in. It is a guess, and whoever reads it checks it: the thread may be moved to another
 * CPU, another thread may come to this one, an interrupt or an NMI may write it in between. It
 * may be the slot of a coroutine that has ended, but slots are freed only when the module is
 * unloaded.
 */
DECLARE_PER_CPU(struct costack_slot *, costack_arena_guess);

/**
 * costack_arena_expect() - guess which stack this CPU runs on next
 * @slot: the stack
 *
 * Context: Any context, any stack. May be wrong.
 */
static __always_inline void costack_arena_expect(struct costack_slot *slot)
{
	raw_cpu_write(costack_arena_guess, slot);
}

/**
 * costack_arena_at() - find the coroutine of the stack that is in use
 * @sp: the stack pointer
 *
 * Inlined: each park and unpark begins with it, and nothing may be probed there. A stack
 * pointer is never the first byte of a slot, which is unmapped. The distance to @hi is a number,
 * as that of the slot is: after a move it still means the old slot.
 *
 * Context: As for costack_arena_lookup().
 * Return: the coroutine; %NULL if @sp is not in the arena or nobody uses the slot.
 */
static __no_sanitize_or_inline struct costack *costack_arena_at(unsigned long sp)
{
	/* One load: the variable may be another CPU's, or change, before the next line. */
	struct costack_slot *guess = this_cpu_read(costack_arena_guess);
	struct costack_chunk *chunk;
	struct costack *co;
	unsigned long nr;

	if (likely(guess->hi - sp < COSTACK_SLOT_SIZE))
		return guess->co;
	nr = costack_slot_nr(sp);
	chunk = costack_arena_chunk(nr);
	co = chunk ? costack_arena_slot(chunk, nr)->co : NULL;
	/* The caller runs on the stack of @co. */
	if (co)
		costack_arena_expect(READ_ONCE(co->slot));
	return co;
}

/* costack_current(), inlined. Context: any, any stack. */
static __always_inline struct costack *__costack_current(void)
{
	return costack_arena_at(current_stack_pointer);
}

#endif /* _COSTACK_ARENA_H */
