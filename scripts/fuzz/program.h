/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The types and hooks that a generated program may use. A hook is a function whose code the
 * compiler does not see. The stack may move in each hook. Each hook also leaves junk where a
 * callee may leave it: in the caller-saved registers, and in the bits of the result register
 * that the result's type does not use.
 *
 * A program's result never depends on an address.
 */
#ifndef _FUZZ_PROGRAM_H
#define _FUZZ_PROGRAM_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdarg.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long s64;

#define noinline		__attribute__((__noinline__))
#define __aligned(x)		__attribute__((__aligned__(x)))
#define OPTIMIZER_HIDE_VAR(x)	asm("" : "+r" (x))

#define memcpy	__builtin_memcpy
#define memmove	__builtin_memmove
#define memset	__builtin_memset
#define memcmp	__builtin_memcmp
#endif

/* Does nothing; the stack may move. */
void hop(void);

/*
 * These return the same numbers in the same order, whether the stack moves or not. The numbers
 * of num32() and num16() are often the lower part of an address of a stack; those of num64() are
 * never an address.
 */
u32 num(u32 below);
u32 num32(void);
u16 num16(void);
u64 num64(void);

/* Returns a number that depends on @at only, as a lookup by an index does. */
u32 look(u64 at);

/* Adds a value to the checksum of the program's results. */
void eat(u64 value);

/* peek() returns the checksum of some bytes, poke() changes them, same() returns its address. */
u32 peek(const void *bytes, u64 size);
void poke(void *bytes, u64 size);
void *same(const void *address);

/* Zeroed memory outside all stacks, until the program ends. */
void *heap(u64 size);

/**
 * struct program - a function to be run moved and unmoved
 * @name: its name in reports
 * @run: the function
 */
struct program {
	const char	*name;
	void		(*run)(void);
};

extern const struct program programs[];
extern const u32 nr_programs;

#endif /* _FUZZ_PROGRAM_H */
