# Own image of ebb for the ESP32. `device image` writes facts.cmake and sdkconfig.flash beside this file.

include(${MICROPY_BOARD_DIR}/facts.cmake)

set(SDKCONFIG_DEFAULTS boards/sdkconfig.base)
if(EBB_HAS_PSRAM)
    list(APPEND SDKCONFIG_DEFAULTS boards/sdkconfig.spiram)
endif()
list(APPEND SDKCONFIG_DEFAULTS
    ${MICROPY_BOARD_DIR}/sdkconfig.ebb
    ${MICROPY_BOARD_DIR}/sdkconfig.board
    ${MICROPY_BOARD_DIR}/sdkconfig.flash
)

list(APPEND MICROPY_DEF_BOARD MP_CONFIGFILE="ebb_port.h" EBB_HAS_PSRAM=${EBB_HAS_PSRAM})
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
