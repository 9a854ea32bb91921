/* SPDX-License-Identifier: GPL-2.0 */
/* Macros that spatch must know in order to parse their uses; see --macro-file. */
#define __uninitialized
