/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verdict of a module's machine code: where a move may come, and which words of
 * a frame surely hold no address there.
 */
#ifndef _COSTACK_POINTS_H
#define _COSTACK_POINTS_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/types.h>

struct module;

/* What a point is: kinds, and from which word of the maps on its numbers are told. */
#define COSTACK_POINT_CALL	BIT(0)	/* a call returns there */
#define COSTACK_POINT_TOUCH	BIT(1)	/* may be the first to touch deeper stack */
#define COSTACK_POINT_RUNS	BIT(2)	/* has numbers beyond what its mask can tell */
#define COSTACK_POINT_MAP(point)	((point) >> 3)

/**
 * struct costack_point - an instruction that a move may come at
 * @what: COSTACK_POINT_*; its map is 0 if it has no numbers
 * @rule: of costack_arch_rule(): how its frame is left
 */
struct costack_point {
	u32	what;
	u32	rule;
};

/**
 * struct costack_points - the verdict of a module's text
 * @start: first byte of the text
 * @size: bytes
 * @blocks: one for each COSTACK_BLOCK bytes of it: which of them a point begins at,
 *	and how many points there are in front of the block
 * @points: all of them, in the order of their addresses
 * @maps: of the words from the stack pointer up, those that are numbers: a mask of
 *	the first 64; with COSTACK_POINT_RUNS the number of runs and the runs, each
 *	a first word and, in the upper half, how many
 * @functions: those that are approved, in any order
 * @nr_functions: how many
 *
 * Made when the module comes, and not changed after. So it is read in any context,
 * with no lock; freed when the module has gone and every reader, under RCU or with
 * interrupts off, has too.
 */
struct costack_points {
	unsigned long	start;
	unsigned long	size;
	struct costack_block {
		u64	points;
		u32	before;
	} *blocks;
	struct costack_point *points;
	u64		*maps;
	struct costack_approved {
		u32	start;
		u32	size;
	} *functions;
	unsigned int	nr_functions;
};

#define COSTACK_BLOCK		64U

/**
 * costack_point_at() - what is known of an instruction
 * @table: of the text that it is in
 * @ip: its address
 *
 * Context: Any context, any stack, the #DF stack included.
 * Return: the point, or %NULL: a move may not come there.
 */
static __always_inline const struct costack_point *
costack_point_at(const struct costack_points *table, unsigned long ip)
{
	unsigned long at = ip - table->start;
	const struct costack_block *block = &table->blocks[at / COSTACK_BLOCK];
	/* The bit of @ip becomes the highest; those of what comes after it are gone. */
	u64 points = block->points << (~at % COSTACK_BLOCK);

	if (!(points >> 63))
		return NULL;
	/* The sum comes first: @before is 0 in the first block. */
	return &table->points[block->before + hweight64(points) - 1];
}

struct costack_points *costack_points_read(const struct module *mod, unsigned long start,
					   unsigned long end);
void costack_points_free(struct costack_points *table);

#endif /* _COSTACK_POINTS_H */
