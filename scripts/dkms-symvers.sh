#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# DKMS runs this after a build, in the build directory. It keeps the versions of the
# symbols that costack.ko exports beside the module: scripts/movable.mk hands them to
# modpost when another module is built that calls costack.
#
# usage: scripts/dkms-symvers.sh DIR

exec cp Module.symvers "$1/Module.symvers"
