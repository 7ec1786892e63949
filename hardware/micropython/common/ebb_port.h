// The port's own settings, with a heap of one fixed size.
//
// ports/esp32/mpconfigport.h sets MICROPY_GC_SPLIT_HEAP_AUTO without asking, so a board file cannot: py/mpconfig.h takes
// this file in its place (MP_CONFIGFILE), which takes the port's and changes what the radio's memory hangs on.

#include "mpconfigport.h"

#undef MICROPY_GC_SPLIT_HEAP_AUTO
#define MICROPY_GC_SPLIT_HEAP_AUTO          (0)
#undef MICROPY_GC_SPLIT_HEAP
#define MICROPY_GC_SPLIT_HEAP               (0)
