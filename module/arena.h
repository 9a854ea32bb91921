/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address space for stacks: chunks of slots.
 */
#ifndef _COSTACK_ARENA_H
#define _COSTACK_ARENA_H

#include <linux/const.h>
#include <linux/mm.h>
#include <linux/types.h>

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
struct costack_slot *costack_arena_lookup(unsigned long addr);
void costack_arena_map(struct costack_slot *slot, struct page *page);
struct page *costack_arena_unmap(struct costack_slot *slot);
unsigned long costack_arena_slots(void);
unsigned long costack_arena_free_slots(void);
int costack_arena_init(void);
void costack_arena_exit(void);

#endif /* _COSTACK_ARENA_H */
