"""What a chip's image has frozen in it: the start of the port, TLS and time for asyncio's streams, and the firmware."""

# _boot.py mounts vfs, flashbdev.py finds it, inisetup.py makes it on an empty chip; nothing else of it is needed.
freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py", "inisetup.py", "machine.py"))
require("ssl")
require("ntptime")
include("modules.py")
