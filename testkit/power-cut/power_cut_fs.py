#!/usr/bin/python3
"""A file system that forgets: what was not synced lives in memory only, and SIGUSR1 cuts the power.

    power_cut_fs.py <backing directory> <mount point>

The backing directory holds what a disk would hold at this moment: `tree/` is the names and contents after a power cut, to be
looked at or damaged by tests; `store/` is private. Everything since the last sync is kept beside it in this process.

    POWER_CUT_TEAR   drop (default): a cut loses everything unsynced. torn: parts of it survive, at random: a prefix of the name
                     changes, and of the data no sectors, the first ones or any.
    POWER_CUT_SEED   makes the tearing repeatable (default 1).
    POWER_CUT_NAMES  strict (default): names become durable only by a sync of their directory, as POSIX has it. journal: a sync of
                     any file makes all earlier name changes durable, as ext4, XFS and Btrfs behave; for programs that rely on it.

After a cut every open handle gives EIO and the file system shows what the disk holds. A line `cut <n>` on standard output says when
that is done. Unmounting in good order writes everything out, and so does the end of standard input. One thread serves all calls; mmap works, shared and private, because the
kernel's page cache is used (it is dropped when a file is opened anew).
"""

import errno
import json
import os
import random
import resource
import shutil
import signal
import stat
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations

PAGE = 4096
SECTOR = 512
HIDDEN = ".fuse_hidden"  # what libfuse makes of a file that is removed while open


class Node:
    """A file, directory or symbolic link as programs see it now, and where the disk has it."""

    def __init__(self, ino, mode):
        self.ino = ino
        self.mode = mode
        self.uid, self.gid = os.getuid(), os.getgid()
        self.times = [time.time_ns()] * 3
        self.entries = {}
        self.target = None
        # Names on the disk: parent and name of this node, and for a directory its entries.
        self.disk_parent = None
        self.disk_name = None
        self.disk_entries = {}
        # Contents: pages not yet synced over a base of which the first `base_length` bytes are still valid.
        self.size = 0
        self.base_length = 0
        self.pages = {}
        self.fd = None
        self.linked = False
        self.handles = 0

    @property
    def is_dir(self):
        return stat.S_ISDIR(self.mode)

    @property
    def dirty(self):
        if self.pages or self.base_length != self.size:
            return True
        return self.fd is not None and os.fstat(self.fd).st_size != self.size


class PowerCutFS(Operations):
    use_ns = True

    def __init__(self, backing, tear, seed, names):
        self.tree = os.path.join(backing, "tree")
        self.store = os.path.join(backing, "store")
        os.makedirs(self.tree, exist_ok=True)
        self.tear, self.seed, self.names = tear, seed, names
        self.guard = threading.RLock()
        self.cuts = 0
        self.next_handle = 1
        self.read_disk()

    def __call__(self, op, *args):
        if not hasattr(self, op):
            raise FuseOSError(errno.ENOSYS)
        with self.guard:
            return getattr(self, op)(*args)

    # ── what the disk holds ─────────────────────────────────────────────────────────────────────────────────────────

    def read_disk(self):
        """Forgets everything in memory and starts from the disk."""
        shutil.rmtree(self.store, ignore_errors=True)
        os.makedirs(self.store)
        self.handles = {}
        self.journal = []  # name changes not yet durable: (kind, directory, name, node, directory, name)
        self.next_ino = 2
        self.root = self.scan(self.tree, 1)

    def scan(self, path, ino):
        st = os.lstat(path)
        node = Node(ino, st.st_mode)
        node.uid, node.gid = st.st_uid, st.st_gid
        node.times = [st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns]
        if node.is_dir:
            for name in os.listdir(path):
                child = self.scan(os.path.join(path, name), self.new_ino())
                child.disk_parent, child.disk_name, child.linked = node, name, True
                node.entries[name] = node.disk_entries[name] = child
        elif stat.S_ISLNK(node.mode):
            node.target = os.readlink(path)
        else:
            node.size = node.base_length = st.st_size
            os.link(path, self.store_path(node))
        return node

    def new_ino(self):
        self.next_ino += 1
        return self.next_ino

    def store_path(self, node):
        return os.path.join(self.store, str(node.ino))

    def content(self, node):
        if node.fd is None:
            node.fd = os.open(self.store_path(node), os.O_RDWR | os.O_CREAT, 0o600)
        return node.fd

    def disk_path(self, node):
        if node is self.root:
            return self.tree
        return os.path.join(self.disk_path(node.disk_parent), node.disk_name)

    def sync_content(self, node):
        if not node.dirty:
            return
        fd = self.content(node)
        os.ftruncate(fd, node.base_length)
        for start, data in runs(node.pages, node.size):
            os.pwrite(fd, data, start)
        os.ftruncate(fd, node.size)
        node.pages = {}
        node.base_length = node.size

    def sync_names(self, directory):
        """Name changes in the directory, and earlier ones without which they make no sense."""
        needed, chosen = {directory}, []
        for change in reversed(self.journal):
            _, d1, _, node, d2, _ = change
            if d1 in needed or d2 in needed or node in needed:
                chosen.append(change)
                needed.add(node)
                if d1 is not directory and d1.disk_parent is None and d1 is not self.root:
                    needed.add(d1)
        self.apply(chosen[::-1])

    def apply(self, changes):
        changes = list(changes)
        done = {id(c) for c in changes}
        self.journal = [c for c in self.journal if id(c) not in done]
        for change in changes:
            self.apply_one(*change)

    def apply_one(self, kind, d1, n1, node, d2, n2):
        if kind == "make":
            path = os.path.join(self.disk_path(d1), n1)
            if node.is_dir:
                os.mkdir(path, stat.S_IMODE(node.mode))
            elif node.target is not None:
                os.symlink(node.target, path)
            else:
                self.content(node)
                os.link(self.store_path(node), path)
            self.name_on_disk(node, d1, n1)
        elif kind == "remove" and d1.disk_entries.get(n1) is node:
            path = self.disk_path(node)
            (os.rmdir if node.is_dir else os.unlink)(path)
            del d1.disk_entries[n1]
            node.disk_parent = None
            node.linked = False
            self.forget_if_gone(node)
        elif kind == "rename" and d1.disk_entries.get(n1) is node:
            old = d2.disk_entries.get(n2)
            os.rename(self.disk_path(node), os.path.join(self.disk_path(d2), n2))
            del d1.disk_entries[n1]
            self.name_on_disk(node, d2, n2)
            if old is not None and old is not node:
                old.disk_parent, old.linked = None, False
                self.forget_if_gone(old)

    def name_on_disk(self, node, directory, name):
        directory.disk_entries[name] = node
        node.disk_parent, node.disk_name, node.linked = directory, name, True

    def forget_if_gone(self, node):
        """The content of a file that has no name and no user any more."""
        if node.linked or node.handles or node.is_dir or any(c[3] is node for c in self.journal):
            return
        if node.fd is not None:
            os.close(node.fd)
            node.fd = None
        node.pages = {}
        try:
            os.unlink(self.store_path(node))
        except FileNotFoundError:
            pass

    def cut(self):
        with self.guard:
            self.cuts += 1
            dirty = [n for n in self.all_nodes(self.root) if not n.is_dir and n.target is None and n.dirty]
            lost = {"names": len(self.journal), "files": len(dirty)}
            if self.tear == "torn":
                chance = random.Random(f"{self.seed}/{self.cuts}")
                self.apply(self.journal[: chance.randint(0, len(self.journal))])
                for node in dirty:
                    self.tear_content(node, chance)
            for node in {*self.all_nodes(self.root), *self.handles.values(), *(c[3] for c in self.journal)}:
                if node.fd is not None:
                    os.close(node.fd)
            self.read_disk()
        print(f"cut {self.cuts} {json.dumps(lost)}", flush=True)

    def tear_content(self, node, chance):
        style = chance.random()
        if style < 0.2:
            return
        fd = self.content(node)
        if node.base_length < os.fstat(fd).st_size and chance.random() < 0.5:
            os.ftruncate(fd, node.base_length)
        sectors = [(start + at, data[at : at + SECTOR]) for start, data in runs(node.pages, node.size) for at in range(0, len(data), SECTOR)]
        if style < 0.6:
            sectors = sectors[: chance.randint(0, len(sectors))]
        elif style < 0.9:
            keep = chance.random()
            sectors = [s for s in sectors if chance.random() < keep]
        for position, data in sectors:
            os.pwrite(fd, data, position)

    def all_nodes(self, node):
        yield node
        for child in node.entries.values():
            yield from self.all_nodes(child)

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, path):
        node = self.root
        for name in path.split("/"):
            if name:
                node = node.entries.get(name) if node.is_dir else None
                if node is None:
                    raise FuseOSError(errno.ENOENT)
        return node

    def parent_of(self, path):
        head, name = os.path.split(path)
        return self.find(head), name

    def make(self, path, mode, target=None):
        parent, name = self.parent_of(path)
        if name in parent.entries:
            raise FuseOSError(errno.EEXIST)
        node = Node(self.new_ino(), mode)
        node.target = target
        parent.entries[name] = node
        parent.times[1] = time.time_ns()
        self.journal.append(("make", parent, name, node, parent, name))
        return node

    def take_away(self, path):
        parent, name = self.parent_of(path)
        node = parent.entries.get(name)
        if node is None:
            raise FuseOSError(errno.ENOENT)
        if node.is_dir and node.entries:
            raise FuseOSError(errno.ENOTEMPTY)
        del parent.entries[name]
        parent.times[1] = time.time_ns()
        self.journal.append(("remove", parent, name, node, parent, name))

    def getattr(self, path, fh=None):
        node = self.handles.get(fh) or self.find(path)
        return {
            "st_ino": node.ino,
            "st_mode": node.mode,
            "st_nlink": 2 if node.is_dir else 1,
            "st_uid": node.uid,
            "st_gid": node.gid,
            "st_size": len(node.target) if node.target is not None else node.size,
            "st_blocks": (node.size + 511) // 512,
            "st_atime": node.times[0],
            "st_mtime": node.times[1],
            "st_ctime": node.times[2],
        }

    def readdir(self, path, fh):
        return [".", "..", *self.find(path).entries]

    def mkdir(self, path, mode):
        self.make(path, stat.S_IFDIR | mode)

    def symlink(self, path, target):
        self.make(path, stat.S_IFLNK | 0o777, target)

    def readlink(self, path):
        return self.find(path).target

    def unlink(self, path):
        self.take_away(path)

    def rmdir(self, path):
        self.take_away(path)

    def rename(self, old, new):
        d1, n1 = self.parent_of(old)
        d2, n2 = self.parent_of(new)
        node = d1.entries.get(n1)
        if node is None:
            raise FuseOSError(errno.ENOENT)
        if n2.startswith(HIDDEN):
            # Removed while open: gone after a cut. The name in memory serves the open handles only.
            del d1.entries[n1]
            d2.entries[n2] = node
            self.journal.append(("remove", d1, n1, node, d1, n1))
            return
        there = d2.entries.get(n2)
        if there is not None and there.is_dir and there.entries:
            raise FuseOSError(errno.ENOTEMPTY)
        del d1.entries[n1]
        d2.entries[n2] = node
        self.journal.append(("rename", d1, n1, node, d2, n2))

    def chmod(self, path, mode):
        node = self.find(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)

    def chown(self, path, uid, gid):
        pass

    def utimens(self, path, times=None):
        now = time.time_ns()
        self.find(path).times[:2] = times or [now, now]

    def statfs(self, path):
        st = os.statvfs(self.tree)
        return {key: getattr(st, key) for key in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_ffree", "f_frsize", "f_namemax")}

    # ── contents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, node):
        fh = self.next_handle
        self.next_handle += 1
        self.handles[fh] = node
        node.handles += 1
        return fh

    def open_node(self, fh):
        node = self.handles.get(fh)
        if node is None:
            raise FuseOSError(errno.EIO)  # opened before the cut
        return node

    def create(self, path, mode, fi=None):
        return self.handle(self.make(path, stat.S_IFREG | stat.S_IMODE(mode)))

    def open(self, path, flags):
        node = self.find(path)
        if flags & os.O_TRUNC:
            self.set_length(node, 0)
        return self.handle(node)

    def release(self, path, fh):
        node = self.handles.pop(fh, None)
        if node is not None:
            node.handles -= 1
            self.forget_if_gone(node)

    def read(self, path, size, offset, fh):
        node = self.open_node(fh)
        end = min(offset + size, node.size)
        if end <= offset:
            return b""
        base_end = min(end, node.base_length)
        base = os.pread(self.content(node), base_end - offset, offset) if base_end > offset else b""
        if not node.pages and len(base) == end - offset:
            return base
        out = bytearray(end - offset)
        out[: len(base)] = base
        for number in range(offset // PAGE, (end - 1) // PAGE + 1):
            page = node.pages.get(number)
            if page is not None:
                start = number * PAGE
                low, high = max(start, offset), min(start + PAGE, end)
                out[low - offset : high - offset] = page[low - start : high - start]
        return bytes(out)

    def write(self, path, data, offset, fh):
        node = self.open_node(fh)
        pages, end, at = node.pages, offset + len(data), 0
        while at < len(data):
            number, within = divmod(offset + at, PAGE)
            take = min(PAGE - within, len(data) - at)
            if take == PAGE:
                pages[number] = data[at : at + PAGE]
            else:
                page = bytearray(self.page(node, number))
                page[within : within + take] = data[at : at + take]
                pages[number] = page
            at += take
        node.size = max(node.size, end)
        node.times[1] = node.times[2] = time.time_ns()
        return len(data)

    def page(self, node, number):
        page = node.pages.get(number)
        if page is not None:
            return page
        start = number * PAGE
        length = min(PAGE, node.base_length - start)
        data = os.pread(self.content(node), length, start) if length > 0 else b""
        return data + bytes(PAGE - len(data))

    def truncate(self, path, length, fh=None):
        self.set_length(self.open_node(fh) if fh is not None else self.find(path), length)

    def set_length(self, node, length):
        if length < node.size:
            last, within = divmod(length, PAGE)
            if within:
                kept = bytearray(self.page(node, last))
                kept[within:] = bytes(PAGE - within)
                node.pages[last] = kept
            for number in [n for n in node.pages if n * PAGE >= length]:
                del node.pages[number]
            node.base_length = min(node.base_length, length)
            self.content(node)
        node.size = length
        node.times[1] = node.times[2] = time.time_ns()
        self.content(node)

    def flush(self, path, fh):
        pass

    def fsync(self, path, datasync, fh):
        self.sync_content(self.open_node(fh))
        if self.names == "journal":
            self.apply(self.journal)

    def fsyncdir(self, path, datasync, fh):
        if self.names == "journal":
            self.apply(self.journal)
        else:
            self.sync_names(self.find(path))

    def init(self, path):
        print("mounted", flush=True)

    def destroy(self, path):
        self.apply(self.journal)
        for node in self.all_nodes(self.root):
            if not node.is_dir and node.target is None:
                self.sync_content(node)
        shutil.rmtree(self.store, ignore_errors=True)


def runs(pages, size):
    """Neighbouring pages joined, cut at the file's length: (offset, bytes)."""
    numbers = sorted(n for n in pages if n * PAGE < size)
    start = 0
    while start < len(numbers):
        end = start + 1
        while end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
            end += 1
        offset = numbers[start] * PAGE
        yield offset, b"".join(pages[n] for n in numbers[start:end])[: size - offset]
        start = end


def main():
    backing, mount_point = sys.argv[1:]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = PowerCutFS(
        backing,
        os.environ.get("POWER_CUT_TEAR", "drop"),
        int(os.environ.get("POWER_CUT_SEED", "1")),
        os.environ.get("POWER_CUT_NAMES", "strict"),
    )

    # A thread of its own waits for the signal: the main one sits inside libfuse, where Python's handlers do not run.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

    def wait_for_cuts():
        while True:
            signal.sigwait({signal.SIGUSR1})
            files.cut()

    def end_with_parent():
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_cuts, daemon=True).start()
    threading.Thread(target=end_with_parent, daemon=True).start()
    FUSE(
        files,
        mount_point,
        foreground=True,
        nothreads=True,
        big_writes=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
        fsname="powercut",
    )


main()
