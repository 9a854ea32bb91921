/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A range of addresses that a move changes.
 */
#ifndef _COSTACK_RANGE_H
#define _COSTACK_RANGE_H

/**
 * struct costack_range - addresses that a move changes, and by how much
 * @lo: lowest address that counts as an address of the old stack
 * @hi: highest such address: one past the last byte, because C allows a pointer one
 *	past the end of an object at the very top
 * @delta: value to add (Go's adjinfo.delta)
 *
 * The new stack lies outside [@lo, @hi], so a word that was rebased once is not
 * rebased again.
 */
struct costack_range {
	unsigned long	lo;
	unsigned long	hi;
	unsigned long	delta;
};

#endif /* _COSTACK_RANGE_H */
