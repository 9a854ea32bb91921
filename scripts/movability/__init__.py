# SPDX-License-Identifier: GPL-2.0
"""Reads machine code and decides whether the frames of a function may be moved.

objfile.py	the file: functions, relocations, what the kernel patches
dwarf.py	debug information: its entries, attributes and lists
kinds.py	debug information of types,
prototypes.py	of called functions,
debuginfo.py	and of the variables and parameters of the functions in the file
machine.py	instructions, decoded
cfg.py		the body of a function, and where control goes
values.py	abstract values and arithmetic on them
frame.py	a state: registers and the frame by bytes
effects.py	what an instruction does to a state;
instructions.py	the instructions one by one
flow.py		values over all paths, to a fixed point
live.py		which values are still needed
points.py	the points, and whether all that is live at them is plain
verdict.py	the verdict on a function; check() makes it
"""

from .verdict import Function, Point, Refusal, check

__all__ = ["Function", "Point", "Refusal", "check"]
