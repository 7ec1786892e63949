"""Modules of the app image that runs, as a file system that the virtual chip's interpreter imports from."""

import io
import json

FOLDER, FILE = 0x4000, 0x8000
NO_ENTRY, READ_ONLY = 2, 30


class Rom:
    """What MicroPython mounts: it asks stat() for a name and open() for its content."""

    def __init__(self, device, at):
        """device: app partition with read(at, count); at: where the index begins (sim/boot_loader.py)."""
        self._device = device
        length_b = int.from_bytes(device.read(at, 4), "big")
        self._index = json.loads(device.read(at + 4, length_b))
        self._at = at + 4 + length_b
        self._folders = {path[: path.rfind("/")] for path in self._index if "/" in path}
        self._folders |= {path[: path.find("/")] for path in self._folders if "/" in path}

    def mount(self, is_read_only, is_made):
        """MicroPython calls it."""

    def umount(self):
        """Nothing is held."""

    def stat(self, path):
        """As os.stat(). Errors: OSError."""
        path = path.strip("/")
        if path in self._folders:
            return (FOLDER, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if path not in self._index:
            raise OSError(NO_ENTRY)
        return (FILE, 0, 0, 0, 0, 0, self._index[path][1], 0, 0, 0)

    def open(self, path, mode):
        """The whole content as a stream. Errors: OSError."""
        if "w" in mode or "a" in mode:
            raise OSError(READ_ONLY)
        if path.strip("/") not in self._index:
            raise OSError(NO_ENTRY)
        at, length_b = self._index[path.strip("/")]
        octets = self._device.read(self._at + at, length_b)
        return io.BytesIO(octets) if "b" in mode or path.endswith(".mpy") else io.StringIO(octets.decode())
