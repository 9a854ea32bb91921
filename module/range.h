/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A range of addresses that a move changes.
 */
#ifndef _COSTACK_RANGE_H
#define _COSTACK_RANGE_H

/**
 * struct costack_range - addresses that a move changes, and by how much
 * @lo: lowest address that counts as one of the old stack
 * @hi: highest such address: one past the last byte, as a pointer one past the
 *	end of an object at the very top is a legal pointer
 * @delta: what to add (Go's adjinfo.delta)
 *
 * The stack that is moved to lies outside [@lo, @hi], so that a word that was
 * rebased is not touched again.
 */
struct costack_range {
	unsigned long	lo;
	unsigned long	hi;
	unsigned long	delta;
};

#endif /* _COSTACK_RANGE_H */
