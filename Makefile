# SPDX-License-Identifier: GPL-2.0
#
# The front end. Kbuild lists what is built; the scripts do the work, and put everything
# they make below build/.

SHELL := /bin/bash

# The kernel headers to build against. Empty: the running kernel's headers, or else the
# newest headers of this Debian's kernel, 6.1 or 6.12.
KDIR ?=
export KDIR

# Another kernel: a name from scripts/kernels.
KERNEL ?=
export KERNEL

# An emulator other than the machine's QEMU: see scripts/fetch-emulator.sh.
EMULATOR ?=
export EMULATOR

# Pass on a compiler that is named in the environment or as an argument, but not make's
# own default.
ifneq ($(origin CC),default)
export CC
endif

.PHONY: modules demo check lint kunit selftest debug selftest-debug kernels check-kernels soak fuzz \
	bench bench-kernels bench-native baseline install dkms-install deb check-deb check-dump \
	kit check-kit clean distclean help

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

check-dump:
	@scripts/check-dump.sh

# Downloads, and the kernels made from them, stay: they cost minutes.
clean:
	@echo "==> removing the products of builds and test runs"
	@rm -rf build/passed build/ko build/ko.lock build/lint build/vm build/bench build/bench-machine build/fuzz build/*.ko build/*.log \
		build/*.deb build/deb build/kit \
		build/kernels/*/{ko,ko.lock,vm,bench,kit,*.ko}

distclean:
	@echo "==> removing build/"
	@rm -rf build 2>/dev/null || sudo rm -rf build

help:
	@sed -n 's/^#| \{0,1\}//p' Makefile

#| make             build costack.ko and the test modules into build/
#| make demo        install what is missing, boot a VM and hash a tree on stacks that grow
#| make check       install what is missing and run every check: lint, kunit, selftest, debug,
#|                  kernels, fuzz, and a short bench; when repeated, only those whose inputs
#|                  have changed or that have not passed
#| make lint        compiler warnings, objtool, sparse, checkpatch, kernel-doc, shellcheck,
#|                  layers, Coccinelle rules, the checker of movability, documentation
#| make kunit       unit tests in a user-mode kernel
#| make selftest    tests on a stock Debian kernel in QEMU
#| make debug       some of these tests on a debug kernel (KASAN, lockdep, failing allocations)
#| make selftest-debug
#|                  all tests on that kernel, on the same for Linux 6.12, and on a kernel with
#|                  KCSAN (data races): about an hour; building the kernels the first time
#|                  takes twenty minutes more
#| make kernels     a few tests on the two of Linux 6.1, 6.12 and 7.3 that are not this Debian's
#| make check-kernels  all tests on all kernels of scripts/kernels (hours), and a table
#| make soak        random tests with random knobs in a VM, for MINUTES=<n> (10)
#| make fuzz        random functions on stacks that move, in user space: a fixed hundred, or as
#|                  many as MINUTES=<n> allows
#| make bench       count instructions of costack and of its peers in QEMU: tables and plots
#| make bench-kernels  the same counts on Linux 6.1, 6.12 and 7.3, side by side
#| make bench-native  measure the operations that need no fault, in ns, in a user-mode kernel,
#|                  and in turns with it those of Go, which is unpacked below build/
#| make baseline    as make bench, and save the figures for make check to compare with
#| make kit         make an image that a spare PC boots from a USB stick to run the tests
#| make check-kit   boot that image by BIOS and UEFI in QEMU, and in Bochs
#| make install     install costack.ko for the kernel it was built for, and costack-top (root
#|                  or sudo)
#| make dkms-install  have DKMS build and install costack.ko for the running kernel and for
#|                  later ones; and install costack-top
#| make deb         make a package that does this: build/costack-dkms_<version>_all.deb, with
#|                  manual pages, and the files with which other modules are built
#| make check-deb   install, upgrade and remove the package in a Debian below build/, and use it
#|                  in a VM: ten minutes
#| make check-dump  compare what scripts/costack.py (drgn) says of a dump of a VM with what debugfs
#|                  says there; fetches 860 MB
#| make clean       remove modules, logs and test results
#| make distclean   remove all of build/, the downloaded kernel and sources included
#| make help        print this table
#|
#| KDIR=<dir>       kernel headers to build against (default: the running kernel's,
#|                  or else the newest of this Debian's kernel, 6.1 or 6.12)
#| KERNEL=<name>    for make, selftest, demo, bench, soak, kit and check-deb: a name in
#|                  scripts/kernels, such as 6.12-rt; installs nothing and puts all below
#|                  build/kernels/<name>/
#| EMULATOR=<name>  for selftest: qemu10, qemu11 or bochs; scripts/fetch-emulator.sh gets it
#|                  and installs nothing
#| CC=<compiler>    a compiler other than the one of the headers; scripts/gcc-tree.sh gets
#|                  GCC 13 and 14 and installs nothing: make CC=build/gcc/gcc-14
#| SOURCE=<version> for lint, kunit, debug and selftest-debug: version of the kernel sources, of
#|                  a package linux-source-<version> (default: this Debian's version;
#|                  selftest-debug also uses 6.12)
#| SIGN_KEY=<file>, SIGN_CERT=<file>
#|                  for install: sign the module with this key; DKMS uses its own
#| SEED=<n>         for soak and fuzz: repeat the sequence of this seed
#| QEMU_ACCEL=kvm   use hardware virtualization (default: emulation)
