"""What every image of ebb has frozen in it: asyncio, and the firmware as `device image` has laid it out in BOARD_DIR.

The same for a chip and for the PC's port, on which the test run proves it (docs/decisions/0016-frozen-modules.md).
"""

include("$(MPY_DIR)/extmod/asyncio")
freeze("$(BOARD_DIR)/frozen", opt=3)
