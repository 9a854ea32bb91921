# SPDX-License-Identifier: GPL-2.0
#
# Makes the modules of a Kbuild movable. Put this line at the end of the Kbuild, in each
# directory whose code is to be movable:
#
#	include <costack>/scripts/movable.mk
#
# It adds to ccflags-y and asflags-y. A "ccflags-y :=" after it would drop the flags; then
# MODULE_COSTACK_MOVABLE() gives a warning, and nothing of that directory has a verdict.
#
# The flags keep GCC from making addresses that a move does not find. They also make GCC run
# scripts/movability/as as its assembler, which checks the machine code and adds the verdict
# to the object file. Built-in code and code for other architectures gets no verdict.

costack-top := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
costack-movability := $(costack-top)/scripts/movability

# Switch off the optimizations that make such addresses (count - 4 * first, which points far
# below the array), that put a number beside half of an address, or that keep values in
# registers which a call may change. Forbid arrays of variable size, which the checker does
# not follow. module/README.md and scripts/movability/tests/made.c have the details.
costack-movable-flags := -fno-ivopts -fno-tree-slsr -fno-ira-share-spill-slots -fno-ipa-ra \
			 -Werror=vla -Werror=alloca

# A function that waits may continue in another thread, so it must read current anew. This
# directory has an <asm/current.h> for that. Also the header is to be found if a later
# "ccflags-y :=" drops the flags, because the header says what is wrong then.
NOSTDINC_FLAGS += -I$(costack-top)/include/current -I$(costack-top)/include

# The versions of the symbols that costack exports, if DKMS has built it from this tree for
# this kernel.
KBUILD_EXTRA_SYMBOLS += $(wildcard $(patsubst costack-%,/var/lib/dkms/costack/%,$(notdir \
				$(realpath $(costack-top))))/$(KERNELRELEASE)/*/Module.symvers)
# The same, if this is a checkout in which "make" has built costack for this kernel.
ifeq ($(realpath $(objtree)),$(realpath $(shell cat $(costack-top)/build/ko/.kdir 2>/dev/null)))
KBUILD_EXTRA_SYMBOLS += $(wildcard $(costack-top)/build/ko/Module.symvers)
endif

ifeq ($(SRCARCH)-$(CONFIG_64BIT),x86-y)
ifdef CONFIG_CC_IS_GCC

# The command line contains a checksum of the checker, so that Kbuild rebuilds the objects
# when the checker changes.
costack-checker := $(shell cat $(costack-movability)/as $(costack-movability)/*.py | \
		     cksum | cut -d ' ' -f 1)
costack-check := -B$(costack-movability)/ -DCOSTACK_MOVABLE_BUILD=$(costack-checker)

ccflags-y += $(costack-movable-flags) $(costack-check)
asflags-y += $(costack-check)

# The checker recognizes character arrays by their debug information.
ccflags-$(CONFIG_DEBUG_INFO_NONE) += -g

else
$(warning costack: $(CC) is not GCC: no verdict, what it builds is not movable)
endif
endif
