"""The slot that does not run: cleared and filled in small steps, and not whole until its manifest lies there."""

import os

from firmware.services import flash_files

FOLDER = 0x4000  # of os.stat: a folder


class SlotWriter:
    """Does what wire/update_bundle.py says, one step a call; each step takes a few ms of flash."""

    def __init__(self, root):
        """root: "/b"; it need not exist."""
        self._root = root
        self._file = None

    def clear(self):
        """Remove everything in the slot, its manifest first: yields after each step. Errors: OSError."""
        self.close()
        try:
            os.stat(self._root)
        except OSError:
            flash_files.make_folder(self._root)
            return
        try:
            flash_files.remove(self._root + "/manifest.json")
        except OSError:
            pass  # there was none
        yield
        for _ in self._emptied(self._root):
            yield

    def _emptied(self, folder):
        for name in os.listdir(folder):
            path = folder + "/" + name
            if os.stat(path)[0] & FOLDER:
                for _ in self._emptied(path):
                    yield
                flash_files.remove_folder(path)
            else:
                flash_files.remove(path)
            yield

    def open(self, path):
        """Begin a file, its folders made as needed. Errors: OSError."""
        parts = path.split("/")
        for count in range(1, len(parts)):
            folder = self._root + "/" + "/".join(parts[:count])
            try:
                os.stat(folder)
            except OSError:
                flash_files.make_folder(folder)
        self._file = flash_files.Growing(self._root + "/" + path)

    def write(self, octets):
        """Append to it. Errors: OSError."""
        if self._file is not None:
            self._file.write(octets)

    def close(self):
        """The file is complete, or what came of it stays; a slot without a manifest is never started."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def seal(self, manifest):
        """Write the manifest: from here on the slot is whole. Errors: OSError."""
        # littlefs shows a file when it is closed, all of it or none (faults.md P3).
        file = flash_files.Growing(self._root + "/manifest.json")
        try:
            file.write(manifest)
        finally:
            file.close()
