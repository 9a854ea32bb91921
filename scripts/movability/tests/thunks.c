// SPDX-License-Identifier: GPL-2.0
/*
 * Calls through a register, as a kernel with retpolines compiles them. Each function has two
 * places to which its call may return, so many bytes apart: the end of the call of the thunk, and
 * the end of the shorter call that the kernel puts there if its processor needs no thunk.
 */

int thunk_3_rax(int (*fn)(int));
int thunk_2_r11(int (*fn)(int));

int thunk_3_rax(int (*fn)(int))
{
	register int (*in_rax)(int) asm("rax") = fn;

	asm volatile("" : "+r" (in_rax));
	return in_rax(1) + 1;
}

int thunk_2_r11(int (*fn)(int))
{
	register int (*in_r11)(int) asm("r11") = fn;

	asm volatile("" : "+r" (in_r11));
	return in_r11(1) + 1;
}
