# SPDX-License-Identifier: GPL-2.0
"""Reads machine code and tells whether the frames of a function may be moved.

objfile.py	the file: functions, relocations, what the kernel patches
machine.py	instructions
verdict.py	what is told of a function; check() makes it
"""

from .verdict import Function, Point, Refusal, check

__all__ = ["Function", "Point", "Refusal", "check"]
