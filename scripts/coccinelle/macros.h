/* SPDX-License-Identifier: GPL-2.0 */
/* Macros that spatch has to know to parse what uses them: --macro-file. */
#define __uninitialized
