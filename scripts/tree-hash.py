#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hashes a directory tree in the same way as costack_demo.ko.

The hash of a file is the SHA-256 of its content; of a symlink, of its target;
of a directory, of its entries, sorted bytewise by name, each as: a byte for its
type (f, d or l), its name, a zero byte, its hash.

usage: tree-hash.py DIRECTORY

Prints "key=value" lines: result, files, links, dirs, bytes, depth.
"""

import hashlib
import os
import resource
import stat
import sys


class Walk:
    """One walk of a tree, and its totals."""

    def __init__(self):
        self.files = self.links = self.dirs = self.bytes = self.depth = 0

    def hash_file(self, name, parent):
        sha = hashlib.sha256()
        with open(name, "rb", opener=lambda n, flags: os.open(n, flags, dir_fd=parent)) as file:
            while chunk := file.read(1 << 20):
                sha.update(chunk)
                self.bytes += len(chunk)
        self.files += 1
        return sha.digest()

    def hash_link(self, name, parent):
        self.links += 1
        return hashlib.sha256(os.readlink(name, dir_fd=parent)).digest()

    def hash_dir(self, name, parent, depth):
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | (os.O_NOFOLLOW if depth > 1 else 0),
                     dir_fd=parent)
        self.dirs += 1
        self.depth = max(self.depth, depth)
        sha = hashlib.sha256()
        for entry in sorted(os.fsencode(entry) for entry in os.listdir(fd)):
            mode = os.lstat(entry, dir_fd=fd).st_mode
            if stat.S_ISREG(mode):
                kind, digest = b"f", self.hash_file(entry, fd)
            elif stat.S_ISDIR(mode):
                kind, digest = b"d", self.hash_dir(entry, fd, depth + 1)
            elif stat.S_ISLNK(mode):
                kind, digest = b"l", self.hash_link(entry, fd)
            else:
                raise ValueError(f"{entry!r} is neither file, directory nor symlink")
            sha.update(kind + entry + b"\0" + digest)
        os.close(fd)
        return sha.digest()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # A level of directories needs one or two Python frames and an open file.
    sys.setrecursionlimit(10000)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    walk = Walk()
    print(f"result={walk.hash_dir(sys.argv[1], None, 1).hex()}")
    for key in ("files", "links", "dirs", "bytes", "depth"):
        print(f"{key}={getattr(walk, key)}")


if __name__ == "__main__":
    main()
