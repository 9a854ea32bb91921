#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints "= ADDRESS NAME [MODULE]" for every function of the kernel and of costack, at the
# addresses that they have when run.sh has loaded the modules. In a VM without address
# randomization these are the same each time.

KO=${KO:-$(dirname "$0")/../../build}
insmod "$KO/costack.ko" && insmod "$KO/costack_bench.ko" || exit 1
sed -n 's/^\([0-9a-f]*\) [tTwW] /= \1 /p' /proc/kallsyms
rmmod costack_bench costack
