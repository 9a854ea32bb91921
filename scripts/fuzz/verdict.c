// SPDX-License-Identifier: GPL-2.0
/*
 * The checker's verdict on an instruction: whether the stack may move there, and which words
 * of the frame are known to be numbers. build.py makes a table of the verdicts, with the
 * addresses of the linked program. If the program was not checked, every move is allowed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

/* The table: a header, then three arrays. Functions and points are sorted by address. */
struct header {
	u32	nr_functions, nr_points, nr_words, checked;
};

struct function {
	u64	start;
	u32	size, refused;
};

struct point {
	u64	ip;
	u32	kind, first, nr, unused;
};

/* An address may be a point of both kinds, with different words for each. */
static u64 key(u64 ip, u32 kind)
{
	return ip << 2 | kind;
}

static struct header header;
static struct function *functions;
static struct point *points;
static struct words *words;
static u64 *stopped;

static void *read_array(FILE *file, u32 nr, size_t size)
{
	void *array = calloc(nr + 1, size);

	if (!array || fread(array, size, nr, file) != nr) {
		fputs("harness: the table ends early\n", stderr);
		exit(2);
	}
	return array;
}

/* Read the table of this program. */
void verdict_read(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || fread(&header, sizeof(header), 1, file) != 1) {
		perror(path);
		exit(2);
	}
	functions = read_array(file, header.nr_functions, sizeof(*functions));
	points = read_array(file, header.nr_points, sizeof(*points));
	words = read_array(file, header.nr_words, sizeof(*words));
	stopped = calloc(header.nr_functions + 1, sizeof(*stopped));
	fclose(file);
}

static struct function *function_of(unsigned long ip)
{
	u32 lo = 0, hi = header.nr_functions;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (functions[mid].start + functions[mid].size <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < header.nr_functions && functions[lo].start <= ip ? &functions[lo] : NULL;
}

/* Whether this instruction belongs to a program, not to the harness. */
bool verdict_in_unit(unsigned long ip)
{
	return function_of(ip);
}

static const struct point *point_at(unsigned long ip, enum kind kind)
{
	u32 lo = 0, hi = header.nr_points;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (key(points[mid].ip, points[mid].kind) < key(ip, kind))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == header.nr_points || points[lo].ip != ip || points[lo].kind != kind)
		return NULL;
	return &points[lo];
}

/*
 * Return whether the stack may move while a frame is at @ip. That is the address that a call
 * returns to; or, for the @newest frame of a fault, the instruction that found no room.
 */
bool verdict_allows(unsigned long ip, bool newest, const struct words **out, u32 *nr)
{
	struct function *function = function_of(ip - !newest);
	const struct point *point;

	*nr = 0;
	if (!function)
		return false;
	if (!header.checked)
		return true;
	point = function->refused ? NULL : point_at(ip, newest ? POINT_TOUCH : POINT_CALL);
	if (!point) {
		stopped[function - functions]++;
		return false;
	}
	*out = &words[point->first];
	*nr = point->nr;
	return true;
}

/* Print which functions have kept the stack from moving, and how often. */
void verdict_report(void)
{
	u32 i;

	for (i = 0; i < header.nr_functions; i++)
		if (stopped[i])
			printf("stopped %lx %u %lu\n", functions[i].start, functions[i].refused,
			       stopped[i]);
}
