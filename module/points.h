/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verdict on a module's machine code: at which instructions a move is allowed, and
 * which words of a frame certainly hold no address there.
 */
#ifndef _COSTACK_POINTS_H
#define _COSTACK_POINTS_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/types.h>

struct module;

/* What a point is: its kinds, and the index in the maps at which its numbers begin. */
#define COSTACK_POINT_CALL	BIT(0)	/* a call returns there */
#define COSTACK_POINT_TOUCH	BIT(1)	/* may be the first to touch deeper stack */
#define COSTACK_POINT_RUNS	BIT(2)	/* has numbers that its mask has no bit for */
#define COSTACK_POINT_MAP(point)	((point) >> 3)

/**
 * struct costack_point - an instruction at which a move is allowed
 * @what: COSTACK_POINT_*; the map is 0 if the point has no numbers
 * @rule: how to leave its frame, from costack_arch_rule()
 */
struct costack_point {
	u32	what;
	u32	rule;
};

/**
 * struct costack_points - the verdict on a module's text
 * @start: first byte of the text
 * @size: size of the text in bytes
 * @blocks: one for each COSTACK_BLOCK bytes of the text: at which of these bytes a point
 *	begins, and how many points come before the block
 * @points: all points, in the order of their addresses
 * @maps: which of the words from the stack pointer up are numbers: a mask of the first
 *	64 words; with COSTACK_POINT_RUNS also the number of runs, and the runs: each has
 *	its first word in the lower half and its length in the upper half
 * @functions: the approved functions, in any order
 * @nr_functions: number of @functions
 *
 * Made before the module's init runs, and never changed after that. So any context may
 * read it with no lock. It is freed when the module has gone and every reader, under RCU
 * or with interrupts off, is done.
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
 * costack_point_find() - find the point at an instruction
 * @table: verdict of the text that contains @ip
 * @ip: address of the instruction
 * @point: out: the point
 *
 * Context: Any context, any stack, the #DF stack included.
 * Return: false if no move is allowed there.
 */
static __always_inline bool costack_point_find(const struct costack_points *table,
					       unsigned long ip,
					       const struct costack_point **point)
{
	unsigned long at = ip - table->start;
	const struct costack_block *block = &table->blocks[at / COSTACK_BLOCK];
	/* Make the bit of @ip the highest, and shift out the bits of later addresses. */
	u64 points = block->points << (~at % COSTACK_BLOCK);

	if (!(points >> 63))
		return false;
	/* Add before subtracting 1: @before is 0 in the first block. */
	*point = &table->points[block->before + hweight64(points) - 1];
	return true;
}

/* As costack_point_find(), but returns the point, or %NULL. */
static __always_inline const struct costack_point *
costack_point_at(const struct costack_points *table, unsigned long ip)
{
	const struct costack_point *point;

	return costack_point_find(table, ip, &point) ? point : NULL;
}

struct costack_points *costack_points_read(const struct module *mod, unsigned long start,
					   unsigned long end);
void costack_points_free(struct costack_points *table);

#endif /* _COSTACK_POINTS_H */
