"""Freezes the modules of a build into a maker's own MicroPython image; unproved here: no such image was ever started.

Run `python3 -m host_tools device build --board reference` first, then make the port with FROZEN_MANIFEST=<this file>;
another board's name goes into BUILD. Slot a then holds page/, board.json and a manifest.json of those alone: a folder
named firmware on the file system would hide the frozen one. Without words_en.txt the box shows its codes.
"""

BUILD = "../build/reference/tree"

include("$(PORT_DIR)/boards/manifest.py")
freeze(BUILD + "/a")
freeze(BUILD, "starter.mpy")
