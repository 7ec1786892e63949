"""Runs on the interpreter: the event log on its own littlefs of 128 KiB, beside a file that takes all the room."""

import sys

import vfs

BLOCK_B, BLOCKS = 4096, 32


class Flash:
    """A block device in memory whose writes can fail with EIO."""

    def __init__(self):
        self.octets = bytearray(BLOCK_B * BLOCKS)
        self.is_broken = False
        self.erases = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_B + offset
        buffer[:] = self.octets[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        if self.is_broken:
            return -5
        at = block * BLOCK_B + offset
        self.octets[at : at + len(buffer)] = buffer
        return 0

    def ioctl(self, op, argument):
        if op == 6:
            if self.is_broken:
                return -5
            self.erases += 1
        return {4: BLOCKS, 5: BLOCK_B}.get(op, 0)


flash = Flash()
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/data")
import test_log_store as told  # noqa: E402 - its folder is set before it is used

told.FOLDER = "/data"
sys.modules["test_log_store"].FOLDER = "/data"
box = told.Box().run(told.MINUTE_MS)
for number in range(300):
    box.put("fault_gone", "X%d" % number)
    if number % 10 == 9:
        box.run(30_000)
print("files:", len(told.sizes()), "erases:", flash.erases)
try:
    with open("/data/ledger", "wb") as file:
        while True:
            file.write(bytes(512))
            file.flush()
except OSError as error:
    print("full:", error.args[0])
box.put("fault", "S2")
box.run(20 * told.MINUTE_MS)
print("told when full:", len(box.app.told), "kept:", "fault:S2" in told.Box().codes())
flash.is_broken = True
box.put("fault", "S3")
box.run(10 * told.MINUTE_MS)
flash.is_broken = False
box.run(60 * told.MINUTE_MS)
vfs.umount("/data")
vfs.mount(vfs.VfsLfs2(flash), "/data")
again = told.Box()
print("told:", len(box.app.told), "S2:", again.codes().count("fault:S2"), "S3:", again.codes().count("fault:S3"))
numbers = [entry.seq for entry in again.entries()]
print("in order:", numbers == sorted(set(numbers)), "of security:", len(again.entries((1,))))
