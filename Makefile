# SPDX-License-Identifier: GPL-2.0
#
# The front end. Kbuild says what is built; the scripts do the work, and
# everything they make goes below build/.

SHELL := /bin/bash

# Where the kernel to build against lives. Empty: the running kernel's headers,
# or else the newest of the kernel of this Debian, 6.1 or 6.12.
KDIR ?=
export KDIR

# Another kernel: a name from scripts/kernels.
KERNEL ?=
export KERNEL

# Another emulator than the machine's QEMU: see scripts/fetch-emulator.sh.
EMULATOR ?=
export EMULATOR

# A compiler that is named, by the environment or as an argument. Make's own default
# is none.
ifneq ($(origin CC),default)
export CC
endif

.PHONY: modules demo check lint kunit selftest debug selftest-debug kernels check-kernels soak fuzz \
	bench bench-kernels bench-native baseline install dkms-install deb check-deb kit check-kit \
	clean distclean help

modules:
	@scripts/build.sh

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh

lint kunit selftest debug selftest-debug kernels:
	@scripts/check.sh $@

check-kernels:
	@scripts/check-kernels.sh

soak:
	@scripts/soak.sh

fuzz:
	@scripts/fuzz.sh

bench:
	@scripts/bench.sh

bench-kernels:
	@scripts/bench.sh kernels

bench-native:
	@scripts/bench.sh native

baseline:
	@scripts/bench.sh baseline

kit:
	@scripts/kit.sh

check-kit:
	@scripts/kit-test.sh

install: modules
	@scripts/install.sh

dkms-install:
	@scripts/dkms.sh

deb:
	@scripts/setup.sh deb
	@scripts/deb.sh

check-deb:
	@scripts/check-deb.sh

# What was downloaded and the kernels made from it stay: they cost minutes.
clean:
	@echo "==> removing what builds and test runs made"
	@rm -rf build/ko build/ko.lock build/lint build/vm build/bench build/bench-machine build/fuzz build/*.ko build/*.log \
		build/*.deb build/deb build/kit \
		build/kernels/*/{ko,ko.lock,vm,bench,kit,*.ko}

distclean:
	@echo "==> removing build/"
	@rm -rf build 2>/dev/null || sudo rm -rf build

help:
	@sed -n 's/^#| \{0,1\}//p' Makefile

#| make             build costack.ko and the test modules into build/
#| make demo        install what is missing, boot a VM and hash a tree on stacks that grow
#| make check       install what is missing, run every check: lint, kunit, selftest, debug,
#|                  kernels, fuzz, and a short bench
#| make lint        compiler warnings, objtool, sparse, checkpatch, kernel-doc, shellcheck,
#|                  layers, escape.cocci, what is said of files in sysfs and of calls
#| make kunit       unit tests in a user-mode kernel
#| make selftest    tests on a stock Debian kernel in QEMU
#| make debug       some of them on a debug kernel (KASAN, lockdep, failing allocations)
#| make selftest-debug
#|                  all of them there, on Linux 6.12 with the same, and on a kernel with KCSAN
#|                  (data races): about an hour, and twenty minutes more to build them the
#|                  first time
#| make kernels     a few of them on the other Linux of 6.1, 6.12 and 7.3
#| make check-kernels  all of them on all kernels of scripts/kernels (hours), and a table
#| make soak        random tests with random knobs in a VM, for MINUTES=<n> (10)
#| make fuzz        random functions on stacks that move, in user space: a fixed hundred, or for
#|                  MINUTES=<n>
#| make bench       count instructions of costack and of its peers, in QEMU: tables and plots
#| make bench-kernels  the same counts on Linux 6.1, 6.12 and 7.3, side by side
#| make bench-native  what needs no fault, in ns, in a user-mode kernel; and Go's, if there
#| make baseline    the same, and make its figures those that make check compares with
#| make kit         an image that a spare PC boots from a USB stick: the tests, and a report
#| make check-kit   boot that image by BIOS and UEFI in QEMU, and in Bochs
#| make install     install costack.ko for the kernel it was built for (root or sudo)
#| make dkms-install  have DKMS build and install it, for the running kernel and for later ones
#| make deb         the same as a package, build/costack-dkms_<version>_all.deb, with manual
#|                  pages, and what other modules are built with
#| make check-deb   install, upgrade and remove that in a Debian below build/, and use it in a
#|                  VM: ten minutes
#| make clean       remove modules, logs and test results
#| make distclean   remove all of build/, the downloaded kernel and sources included
#| make help        this table
#|
#| KDIR=<dir>       kernel headers to build against (default: the running kernel's,
#|                  or else the newest of this Debian's kernel, 6.1 or 6.12)
#| KERNEL=<name>    for make, selftest, demo, bench, soak and kit: one of scripts/kernels, such as
#|                  6.12-rt; nothing of it is installed, all is below build/kernels/<name>/
#| EMULATOR=<name>  for selftest: qemu10, qemu11 or bochs; scripts/fetch-emulator.sh gets it
#|                  and installs nothing
#| CC=<compiler>    another compiler than the headers' own; scripts/gcc-tree.sh gets
#|                  GCC 13 and 14 and installs nothing: make CC=build/gcc/gcc-14
#| SOURCE=<version> for lint, kunit, debug and selftest-debug, which need kernel sources: the
#|                  package linux-source-<version> (that of this Debian; selftest-debug: 6.12, too)
#| SIGN_KEY=<file>, SIGN_CERT=<file>
#|                  for install: sign the module with this key; DKMS uses its own
#| SEED=<n>         for soak and fuzz: the same sequence again
#| QEMU_ACCEL=kvm   use hardware virtualization (default: emulation)
