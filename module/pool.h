/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped stacks that wait for use, and the reserves that growth takes its memory from.
 */
#ifndef _COSTACK_POOL_H
#define _COSTACK_POOL_H

#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <linux/log2.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

#include "arena.h"
#include "coroutine.h"
#include "shadow.h"
#include "text.h"
#include "trace.h"

struct module;

/*
 * Flags to allocate memory for coroutines with: it is better to refuse a coroutine with
 * -ENOMEM than to kill a process for it.
 */
#define COSTACK_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/*
 * Pages that an abortable coroutine may have beyond its limit: see over_limit(). Code that
 * cannot be aborted there gets as much as the kernel gives a thread, even deep in a
 * callback; one more page is for the defers; and two are for interrupts that arrive when
 * all these are in use.
 */
#define COSTACK_BEYOND_KERNEL	4U
#define COSTACK_BEYOND_DEFERS	(COSTACK_BEYOND_KERNEL + 1)
#define COSTACK_BEYOND_LIMIT	(COSTACK_BEYOND_DEFERS + 2)

/*
 * A bit for each word of the largest stack, and room for bits beyond it: the mask of a
 * frame is one long and may begin at any bit. A multiple of four longs.
 */
#define COSTACK_SKIP_LONGS	((COSTACK_MAX_PAGES + COSTACK_BEYOND_LIMIT) * PAGE_SIZE /	\
				 sizeof(long) / BITS_PER_LONG + 4)

/**
 * struct costack_reserve - memory that a running coroutine can grow into
 * @host: the side of the thread that lends it
 * @next: a mapped, zeroed stack for each class above the smallest, for copystack to
 *	move to. May be missing under the in-place policy.
 * @pages: zeroed pages to map below the stack, for growth in place
 * @nr_pages: number of @pages; growth takes them from the end
 * @full_pages: limit in pages up to which growth in place never lacks a page;
 *	0 once a page was taken
 * @full_copies: the same for stacks to move to
 * @retired: stacks that a move has left since the reserve was filled
 * @skip: for the walk before a move: which words are numbers
 * @link: link in the list of a pool cache
 * @nr_events: notes in @events
 * @events: what growth has noted of the coroutines that had the reserve
 *
 * The host takes it before it switches the coroutine in and gives it back after the
 * coroutine has been switched out. Nobody else has it, so growth needs no lock.
 */
struct costack_reserve {
	struct costack_host	host;
	struct costack_slot	*next[COSTACK_CLASSES];
	struct page		*pages[COSTACK_MAX_PAGES - 1 + COSTACK_BEYOND_LIMIT];
	unsigned int		nr_pages;
	unsigned int		full_pages;
	unsigned int		full_copies;
	struct costack_slot	*retired;
	unsigned long		skip[COSTACK_SKIP_LONGS];
	struct costack_reserve	*link;
	unsigned int		nr_events;
	struct costack_event	events[COSTACK_NR_EVENTS];
};

/* The reserve that a running coroutine has been lent. */
static __always_inline struct costack_reserve *costack_reserve_of(const struct costack *co)
{
	return container_of(co->host, struct costack_reserve, host);
}

/**
 * costack_class() - the size class that holds a number of pages
 * @pages: 1 to COSTACK_MAX_PAGES
 *
 * Return: the class: its stacks have 1 << class pages.
 */
static inline unsigned int costack_class(unsigned int pages)
{
	return order_base_2(pages);
}

/**
 * struct costack_owner - whose bytes a stack may show
 * @who: a thread that calls, or a module whose items run; compared, never dereferenced.
 *	%NULL: nobody, so the stack must be cleared for it
 * @when: as the address of @who is reused: start time of the thread in ns; for a module, how
 *	many modules had been unloaded
 */
struct costack_owner {
	const void	*who;
	u64		when;
};

/* The calling thread, which finds no more on such a stack than on its own. */
static inline struct costack_owner costack_owner_thread(void)
{
	return (struct costack_owner) { current, current->start_boottime };
}

/* A module whose items run. */
static inline struct costack_owner costack_owner_module(const struct module *module)
{
	return (struct costack_owner) { module, costack_text_unloads() };
}

/* The user of the stack of @co. */
static inline struct costack_owner costack_owner_of(const struct costack *co)
{
	return co->work ? costack_owner_module(co->work->owner) : costack_owner_thread();
}

struct costack_slot *costack_stackalloc_for(unsigned int class, struct costack_owner user,
					    gfp_t gfp);
void costack_stackfree_of(struct costack_slot *slot, struct costack_owner owner);
void costack_stackfree_soon(struct costack_slot *slot, struct costack_owner owner);
void costack_stack_limbo(struct costack_slot *list);
void costack_stack_unmap(struct costack_slot *list);
void costack_stack_clear(struct costack_slot *slot);

/**
 * costack_stack_clean() - make a stack fit for its next user
 * @slot: from a cache
 * @user: who is to use it
 *
 * A stack keeps the bytes of its last owner for the same owner only: for the thread that ran
 * on it, which finds as much on its own stack, where each call leaves its frames; or for the
 * module whose items ran on it. Anybody else gets a stack that is zero.
 *
 * Context: Process context, any stack but @slot's.
 */
static __always_inline void costack_stack_clean(struct costack_slot *slot,
						struct costack_owner user)
{
	if (unlikely(slot->owner != user.who || slot->owner_start != user.when || !user.who) &&
	    slot->use == COSTACK_DIRTY)
		costack_stack_clear(slot);
}

/* There is more than one NUMA node. Set when costack is loaded. */
DECLARE_STATIC_KEY_FALSE(costack_many_nodes);

/**
 * costack_stack_is_remote() - does a stack belong to another NUMA node
 * @slot: the stack
 *
 * Context: Process context, any stack. Without preemption off the answer is a hint.
 * Return: true if it is slower for this CPU than a stack of its own node.
 */
static __always_inline bool costack_stack_is_remote(const struct costack_slot *slot)
{
	return static_branch_unlikely(&costack_many_nodes) && costack_slot_is_remote(slot);
}

/**
 * costack_stack_soil() - note whose bytes a stack holds
 * @slot: nobody uses it any more
 * @owner: the only one that has used it since it was clear
 *
 * Context: Process context, any stack but @slot's.
 */
static __always_inline void costack_stack_soil(struct costack_slot *slot,
					       struct costack_owner owner)
{
	costack_shadow_clear(costack_slot_start(slot), slot->hi);
	slot->use = COSTACK_DIRTY;
	slot->owner = owner.who;
	slot->owner_start = owner.when;
}

/* A stack for the calling thread. */
static inline struct costack_slot *costack_stackalloc(unsigned int class, gfp_t gfp)
{
	return costack_stackalloc_for(class, costack_owner_thread(), gfp);
}

/* Keep a stack for reuse by anybody, who gets it cleared. */
static inline void costack_stackfree(struct costack_slot *slot)
{
	costack_stackfree_of(slot, (struct costack_owner) { });
}

struct costack_reserve *costack_reserve_get(unsigned int pages, bool copies, gfp_t gfp);
void costack_reserve_put(struct costack_reserve *reserve);
int costack_reserve_fill(struct costack_reserve *reserve, unsigned int pages, bool copies);

/**
 * costack_reserve_full() - has a reserve all that growth may need
 * @reserve: nobody else has it
 * @pages: limit of the growth, in pages
 * @copies: whether the caller also wants stacks to move to
 *
 * Context: Any context, any stack.
 * Return: true if it lacks nothing.
 */
static inline bool costack_reserve_full(const struct costack_reserve *reserve,
					unsigned int pages, bool copies)
{
	return likely(reserve->full_pages >= pages) &&
	       (!copies || likely(reserve->full_copies >= pages));
}

/**
 * costack_reserve_refill() - fill a reserve again
 * @reserve: reserve of a coroutine that is switched out
 * @pages: limit of the growth, in pages
 * @copies: whether the caller also wants stacks to move to
 *
 * Context: Process context, host stack; may sleep.
 * Return: 0, or -ENOMEM; the reserve then keeps what could be allocated.
 */
static inline int costack_reserve_refill(struct costack_reserve *reserve, unsigned int pages,
					 bool copies)
{
	if (likely(costack_reserve_full(reserve, pages, copies)))
		return 0;
	return costack_reserve_fill(reserve, pages, copies);
}

/*
 * The next two functions are part of the fault path. They are inline, so that they are
 * compiled with the flags of that path.
 */

/**
 * costack_reserve_page() - take a page for growth in place
 * @reserve: reserve of the coroutine that grows
 *
 * Context: Any context; host stack or #DF stack.
 * Return: a zeroed page, or %NULL if the reserve has no more.
 */
static __always_inline struct page *costack_reserve_page(struct costack_reserve *reserve)
{
	if (!reserve->nr_pages)
		return NULL;
	reserve->full_pages = 0;
	return reserve->pages[--reserve->nr_pages];
}

/**
 * costack_reserve_swap() - take a stack to move to, and put the old one in its place
 * @reserve: reserve of the coroutine that moves
 * @class: size class to move to; @reserve has a stack of it
 * @old: the stack that the coroutine leaves
 *
 * Context: Any context; host stack.
 */
static __always_inline void costack_reserve_swap(struct costack_reserve *reserve,
						 unsigned int class, struct costack_slot *old)
{
	reserve->next[class] = NULL;
	reserve->full_copies = 0;
	old->next = reserve->retired;
	reserve->retired = old;
}

unsigned long costack_pool_stacks(unsigned int class);
int costack_pool_init(void);
void costack_pool_exit(void);

#endif /* _COSTACK_POOL_H */
