// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the verdict of a module.
 *
 * Each object file that was built with scripts/movable.mk contains the findings of the
 * checker: its functions, with a checksum of their bytes; for each function that the
 * checker approves, the points where a move is allowed; for each other function, the
 * reason. The findings lie in a section that the kernel frees after the module's init; the
 * argument of a parameter of the module points to them. This code makes one table from all
 * of them, which can be searched for an address in a few instructions: see
 * costack_point_at().
 *
 * This code trusts nothing: if the bytes differ from those that were checked, or a number
 * does not fit, the module has no verdict.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <linux/costack.h>
#include <asm/costack.h>

#include "points.h"

/* The format that scripts/movability/emit.py writes. */
#define UNIT_FORMAT	2

/* Most lines to log about one module. */
#define MAX_LINES	8

/* More words than any stack has. */
#define MAX_WORD	65536U

/**
 * struct verdict_function - a function of an object file
 * @away: address of its first byte plus FUNCTION_AWAY: see start_of()
 * @why: why it is not approved; %NULL if it is
 * @size: size in bytes
 * @crc: checksum of the bytes that are not masked
 * @at: offset of the instruction that @why is about
 * @flags: FUNCTION_TRUSTED or 0
 * @nr_points: how many of the unit's points belong to it; they follow the points of the
 *	function before it
 * @nr_masks: how many of the unit's masks belong to it, in the same way
 */
struct verdict_function {
	unsigned long	away;
	const char	*why;
	u32		size;
	u32		crc;
	u32		at;
	u32		flags;
	u32		nr_points;
	u32		nr_masks;
};

/* Keeps tools from treating @away as a branch to the function: see AWAY in emit.py. */
#define FUNCTION_AWAY		BIT_ULL(40)

/* Every byte of the function may be a point: its author says so. */
#define FUNCTION_TRUSTED	BIT(0)

/* @offset: in the function; @point: as @what of struct costack_point, but a map of the unit */
struct verdict_point {
	u32		offset;
	u32		point;
};

/* Bytes of a function that the module loader or a runtime patch of the kernel changes. */
struct verdict_mask {
	u32		offset;
	u32		size;
};

/**
 * struct verdict_unit - the findings about one object file
 * @functions: its functions
 * @points: points of all functions, in the order of @functions
 * @masks: masks of all functions, in the order of @functions
 * @maps: see struct costack_points; the first word is not used
 * @format: UNIT_FORMAT
 * @nr_functions: number of @functions
 * @nr_points: number of @points
 * @nr_masks: number of @masks
 * @nr_maps: number of words in @maps
 */
struct verdict_unit {
	const struct verdict_function	*functions;
	const struct verdict_point	*points;
	const struct verdict_mask	*masks;
	const u64			*maps;
	u32				format;
	u32				nr_functions;
	u32				nr_points;
	u32				nr_masks;
	u32				nr_maps;
};

static unsigned long start_of(const struct verdict_function *f)
{
	return f->away - FUNCTION_AWAY;
}

/* A function of a unit, and where its own points and masks begin. */
struct place {
	const struct verdict_function	*f;
	const struct verdict_point	*points;
	const struct verdict_mask	*masks;
};

static struct place first(const struct verdict_unit *unit)
{
	return (struct place) { unit->functions, unit->points, unit->masks };
}

static bool valid(const struct place *p, const struct verdict_unit *unit)
{
	return p->f < unit->functions + unit->nr_functions;
}

static void next(struct place *p)
{
	p->points += p->f->nr_points;
	p->masks += p->f->nr_masks;
	p->f++;
}

/* The first unit at or after parameter *@i of the module; %NULL if there are no more. */
static const struct verdict_unit *next_unit(const struct module *mod, unsigned int *i)
{
	for (; *i < mod->num_kp; ++*i)
		if (mod->kp[*i].ops == &costack_verdict_ops)
			return mod->kp[*i].arg;
	return NULL;
}

/* === Checking that the verdict is about this code === */

static bool map_fits(const struct verdict_unit *unit, u32 point)
{
	u32 map = COSTACK_POINT_MAP(point), i;
	u64 nr_runs;

	if (!(point & COSTACK_POINT_RUNS))
		return map < unit->nr_maps;
	if (!map || map + 1 >= unit->nr_maps)
		return false;
	nr_runs = unit->maps[map + 1];
	if (!nr_runs || nr_runs > unit->nr_maps - (map + 2))
		return false;
	for (i = 0; i < nr_runs; i++) {
		u64 run = unit->maps[map + 2 + i];

		if ((u32)run >= MAX_WORD || run >> 32 >= MAX_WORD)
			return false;
	}
	return true;
}

static bool masks_fit(const struct place *p)
{
	u32 i, at = 0;

	for (i = 0; i < p->f->nr_masks; i++) {
		const struct verdict_mask *mask = &p->masks[i];

		if (mask->offset < at || mask->offset > p->f->size ||
		    mask->size > p->f->size - mask->offset)
			return false;
		at = mask->offset + mask->size;
	}
	return true;
}

/* Does everything exist that the numbers of a unit refer to? */
static bool unit_fits(const struct verdict_unit *unit, unsigned long start, unsigned long end)
{
	unsigned long nr_points = 0, nr_masks = 0;
	struct place p;
	u32 i;

	if (unit->format != UNIT_FORMAT || !unit->nr_maps)
		return false;
	for (i = 0; i < unit->nr_functions; i++) {
		nr_points += unit->functions[i].nr_points;
		nr_masks += unit->functions[i].nr_masks;
	}
	if (nr_points != unit->nr_points || nr_masks != unit->nr_masks)
		return false;
	for (p = first(unit); valid(&p, unit); next(&p)) {
		if (start_of(p.f) < start || start_of(p.f) >= end ||
		    p.f->size > end - start_of(p.f))
			return false;
		for (i = 0; i < p.f->nr_points; i++)
			if (p.points[i].offset >= p.f->size ||
			    !map_fits(unit, p.points[i].point))
				return false;
		if (!masks_fit(&p))
			return false;
	}
	return true;
}

static bool same_bytes(const struct place *p)
{
	const u8 *text = (const u8 *)start_of(p->f);
	u32 i, at = 0, crc = ~0U;

	for (i = 0; i < p->f->nr_masks; i++) {
		crc = crc32_le(crc, text + at, p->masks[i].offset - at);
		at = p->masks[i].offset + p->masks[i].size;
	}
	return (crc32_le(crc, text + at, p->f->size - at) ^ ~0U) == p->f->crc;
}

static int check_unit(const struct module *mod, const struct verdict_unit *unit,
		      unsigned long start, unsigned long end)
{
	struct place p;

	if (!unit_fits(unit, start, end)) {
		pr_warn("%s: this costack cannot read its verdict\n", mod->name);
		return -EINVAL;
	}
	for (p = first(unit); valid(&p, unit); next(&p)) {
		if (same_bytes(&p))
			continue;
		pr_warn("%s: %ps is not the code that its verdict is about\n", mod->name,
			(void *)start_of(p.f));
		return -EINVAL;
	}
	return 0;
}

/* === The table === */

static void set_point(struct costack_points *table, unsigned long ip)
{
	unsigned long at = ip - table->start;

	table->blocks[at / COSTACK_BLOCK].points |= BIT_ULL(at % COSTACK_BLOCK);
}

/* Note which bytes are points; fill() then notes what kind of point each one is. */
static void set_points(struct costack_points *table, const struct verdict_unit *unit)
{
	struct place p;
	u32 i;

	for (p = first(unit); valid(&p, unit); next(&p)) {
		if (p.f->why)
			continue;
		for (i = 0; i < p.f->nr_points; i++)
			set_point(table, start_of(p.f) + p.points[i].offset);
		for (i = 0; p.f->flags & FUNCTION_TRUSTED && i < p.f->size; i++)
			set_point(table, start_of(p.f) + i);
	}
}

static unsigned int count_points(struct costack_points *table)
{
	unsigned int i, nr = 0;

	for (i = 0; i < DIV_ROUND_UP(table->size, COSTACK_BLOCK); i++) {
		table->blocks[i].before = nr;
		nr += hweight64(table->blocks[i].points);
	}
	return nr;
}

/* @ip must be one of the points that set_points() has noted in the blocks of @table. */
static void put_point(struct costack_points *table, const struct module *mod, unsigned long ip,
		      u32 what)
{
	u32 rule = costack_arch_rule(mod, ip, what & COSTACK_POINT_CALL,
				     what & COSTACK_POINT_TOUCH);

	*(struct costack_point *)costack_point_at(table, ip) = (struct costack_point) {
		what, rule,
	};
}

static void fill(struct costack_points *table, const struct module *mod,
		 const struct verdict_unit *unit, u32 first_map)
{
	struct place p;
	u32 i, what;

	memcpy(table->maps + first_map, unit->maps, unit->nr_maps * sizeof(u64));
	for (p = first(unit); valid(&p, unit); next(&p)) {
		if (p.f->why)
			continue;
		table->functions[table->nr_functions++] = (struct costack_approved) {
			start_of(p.f) - table->start, p.f->size,
		};
		for (i = 0; p.f->flags & FUNCTION_TRUSTED && i < p.f->size; i++)
			put_point(table, mod, start_of(p.f) + i,
				  COSTACK_POINT_CALL | COSTACK_POINT_TOUCH);
		for (i = 0; i < p.f->nr_points; i++) {
			what = p.points[i].point;
			if (COSTACK_POINT_MAP(what))
				what += first_map << 3;
			put_point(table, mod, start_of(p.f) + p.points[i].offset, what);
		}
	}
}

static struct costack_points *make(const struct module *mod, unsigned long start,
				   unsigned long end)
{
	struct costack_points *table = kzalloc(sizeof(*table), GFP_KERNEL);
	unsigned long nr_functions = 0, nr_maps = 0;
	const struct verdict_unit *unit;
	unsigned int i;

	if (!table)
		return NULL;
	table->start = start;
	table->size = end - start;
	for (i = 0; (unit = next_unit(mod, &i)); i++) {
		nr_functions += unit->nr_functions;
		nr_maps += unit->nr_maps;
	}
	table->blocks = kvcalloc(DIV_ROUND_UP(table->size, COSTACK_BLOCK),
				 sizeof(*table->blocks), GFP_KERNEL);
	table->functions = kvcalloc(nr_functions, sizeof(*table->functions), GFP_KERNEL);
	table->maps = kvcalloc(nr_maps, sizeof(*table->maps), GFP_KERNEL);
	if (!table->blocks || !table->functions || !table->maps)
		goto err;
	for (i = 0; (unit = next_unit(mod, &i)); i++)
		set_points(table, unit);
	table->points = kvcalloc(count_points(table), sizeof(*table->points), GFP_KERNEL);
	if (!table->points)
		goto err;
	nr_maps = 0;
	for (i = 0; (unit = next_unit(mod, &i)); i++) {
		fill(table, mod, unit, nr_maps);
		nr_maps += unit->nr_maps;
	}
	return table;

err:
	costack_points_free(table);
	return NULL;
}

/* === Reading and reporting === */

static void tell_refused(const struct module *mod)
{
	const struct verdict_unit *unit;
	unsigned int i, nr = 0;
	struct place p;

	for (i = 0; (unit = next_unit(mod, &i)); i++) {
		for (p = first(unit); valid(&p, unit); next(&p)) {
			if (p.f->why && nr++ < MAX_LINES)
				pr_warn("%s: not movable: %pS: %s\n", mod->name,
					(void *)start_of(p.f) + p.f->at, p.f->why);
		}
	}
	if (nr > MAX_LINES)
		pr_warn("%s: not movable: %u more functions, scripts/movable lists them\n",
			mod->name, nr - MAX_LINES);
}

/**
 * costack_points_read() - make the table of a module's verdict
 * @mod: the module; its init has not run yet
 * @start: first byte of its text
 * @end: one past the last byte
 *
 * Logs the functions that are not approved, and why.
 *
 * Context: Process context; may sleep.
 * Return: the verdict, for costack_points_free(); or %NULL if there is none, if it cannot
 * be trusted, or if there is no memory for it.
 */
struct costack_points *costack_points_read(const struct module *mod, unsigned long start,
					   unsigned long end)
{
	struct costack_points *table;
	const struct verdict_unit *unit;
	unsigned int i, nr = 0;

	for (i = 0; (unit = next_unit(mod, &i)); i++) {
		if (check_unit(mod, unit, start, end))
			return NULL;
		nr++;
	}
	if (!nr) {
		pr_warn("%s: it was built without the flags of scripts/movable.mk, and has no verdict: its Kbuild must include that, and last\n",
			mod->name);
		return NULL;
	}
	table = make(mod, start, end);
	if (table)
		tell_refused(mod);
	else
		pr_warn("%s: no memory for its verdict\n", mod->name);
	return table;
}

/**
 * costack_points_free() - give up a verdict
 * @table: nobody reads it any more
 *
 * Context: Process context.
 */
void costack_points_free(struct costack_points *table)
{
	if (!table)
		return;
	kvfree(table->blocks);
	kvfree(table->points);
	kvfree(table->maps);
	kvfree(table->functions);
	kfree(table);
}
