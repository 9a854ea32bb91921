#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Waits until a QEMU that was started with -no-shutdown has powered off, and saves its
screen: FILE.ppm is the picture, and FILE.txt the text of a VGA in text mode.

usage: kit-screen.py SOCKET SECONDS FILE [CONSOLE]
SOCKET is that of -qmp unix:SOCKET,server=on. If the text in the file CONSOLE asks for Enter,
the script presses that key.
exit status: 0 if it has powered off, 1 if it reset or panicked, 124 if it took too long
"""

import json
import pathlib
import socket
import sys
import time

COLUMNS = 80


class Machine:
    """QEMU's machine protocol: one line of JSON each way."""

    def __init__(self, path, seconds):
        self.deadline = time.monotonic() + seconds
        self.socket = socket.socket(socket.AF_UNIX)
        while self.socket.connect_ex(path):
            if time.monotonic() > self.deadline:
                raise TimeoutError
            time.sleep(0.1)
        self.lines = self.socket.makefile("rw")
        self.read()
        self.ask("qmp_capabilities")

    def read(self):
        """The next message; nothing if QEMU has ended."""
        self.socket.settimeout(max(0.1, self.deadline - time.monotonic()))
        line = self.lines.readline()
        return json.loads(line) if line else None

    def ask(self, command, **arguments):
        """Waits for the answer, and drops events on the way."""
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while (message := self.read()) and "return" not in message and "error" not in message:
            pass
        return message

    def press_enter(self, console):
        """Presses Enter when the guest asks for it."""
        while b"press Enter" not in pathlib.Path(console).read_bytes():
            if time.monotonic() > self.deadline:
                raise TimeoutError
            time.sleep(0.5)
        # The guest begins to read the keyboard after it has asked.
        time.sleep(2)
        self.ask("send-key", keys=[{"type": "qcode", "data": "ret"}])

    def stopped(self):
        """The reason for the shutdown, as QEMU tells it."""
        while message := self.read():
            if message.get("event") == "SHUTDOWN":
                return message["data"]["reason"]
        return None


def text(memory):
    """The text of the screen. A character is a byte for its code and one for its colour."""
    codes = memory[::2].decode("cp437").replace("\0", " ")
    return "".join(codes[at:at + COLUMNS].rstrip() + "\n" for at in range(0, len(codes), COLUMNS))


def main(path, seconds, name, console=None):
    try:
        machine = Machine(path, float(seconds))
        if console:
            machine.press_enter(console)
        reason = machine.stopped()
    except TimeoutError:
        print("it has not ended")
        return 124
    print("it has ended:", reason)
    machine.deadline = time.monotonic() + 30
    machine.ask("screendump", filename=name + ".ppm")
    machine.ask("pmemsave", val=0xb8000, size=0x8000, filename=name + ".vga")
    memory = pathlib.Path(name + ".vga")
    pathlib.Path(name + ".txt").write_text(text(memory.read_bytes()), encoding="utf-8")
    memory.unlink()
    return 0 if reason == "guest-shutdown" else 1


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
