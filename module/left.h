/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stacks that a coroutine was moved from, with the knob unmap.
 */
#ifndef _COSTACK_LEFT_H
#define _COSTACK_LEFT_H

struct costack;
struct costack_reserve;
struct costack_slot;

void costack_left_start(struct costack *co);
void costack_left_arrive(struct costack *co);
void costack_left_depart(struct costack *co);
void costack_left_add(struct costack *co, struct costack_slot *old);
void costack_left_retired(struct costack *co, struct costack_reserve *reserve);
void costack_left_forget(struct costack *co);

#endif /* _COSTACK_LEFT_H */
