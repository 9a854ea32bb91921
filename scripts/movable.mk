# SPDX-License-Identifier: GPL-2.0
#
# What makes the modules of a Kbuild movable. One line in it, in each directory whose
# code is to be moved:
#
#	include <costack>/scripts/movable.mk
#
# GCC is kept from making addresses that no move finds, and finds the assembler of
# scripts/movability first, which checks the machine code and adds the verdict to the
# object file. What is built in, or built for another architecture, gets none.

costack-top := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
costack-movability := $(costack-top)/scripts/movability

# The optimizations that make such addresses (count - 4 * first; a place far below the
# array), put a number beside half of an address, or keep values where no call leaves
# them; and arrays of variable size, which the checker does not follow. What each of
# them is there for: module/README.md, and scripts/movability/tests/made.c.
costack-movable-flags := -fno-ivopts -fno-tree-slsr -fno-ira-share-spill-slots -fno-ipa-ra \
			 -Werror=vla -Werror=alloca

# A function that waits may go on in another thread: current is to be read anew.
NOSTDINC_FLAGS += -I$(costack-top)/include/current

ccflags-y += -I$(costack-top)/include
asflags-y += -I$(costack-top)/include

# Versions of what costack exports, if DKMS has built it from this tree for this kernel.
KBUILD_EXTRA_SYMBOLS += $(wildcard $(patsubst costack-%,/var/lib/dkms/costack/%,$(notdir \
				$(realpath $(costack-top))))/$(KERNELRELEASE)/*/Module.symvers)

ifeq ($(SRCARCH)-$(CONFIG_64BIT),x86-y)
ifdef CONFIG_CC_IS_GCC

# Another checker is another command: then Kbuild builds anew.
costack-checker := $(shell cat $(costack-movability)/as $(costack-movability)/*.py | \
		     cksum | cut -d ' ' -f 1)
costack-check := -B$(costack-movability)/ -DCOSTACK_MOVABLE_BUILD=$(costack-checker)

ccflags-y += $(costack-movable-flags) $(costack-check)
asflags-y += $(costack-check)

# It knows character arrays by them.
ccflags-$(CONFIG_DEBUG_INFO_NONE) += -g

else
$(warning costack: $(CC) is not GCC: no verdict, what it builds is not movable)
endif
endif
