// Own image of ebb for the ESP32S3. What the firmware does not use is left out: its memory is the radio's.

#define MICROPY_HW_BOARD_NAME               "ebb wallbox"
#define MICROPY_HW_MCU_NAME                 "ESP32S3"

// The whole heap, taken once at the start (ebb_port.h). With PSRAM it lies there. Without, it is an estimate: 54 kB are
// live on the PC with MQTT over TLS (chip-frozen), and the rest of the chip's memory is left to the radio and to TLS.
#if EBB_HAS_PSRAM
#define MICROPY_GC_INITIAL_HEAP_SIZE        (1024 * 1024)
#else
#define MICROPY_GC_INITIAL_HEAP_SIZE        (96 * 1024)
#endif

#define MICROPY_PY_BLUETOOTH                (0)
#define MICROPY_PY_ESPNOW                   (0)
#define MICROPY_PY_NETWORK_LAN              (0)
#define MICROPY_PY_MACHINE_I2S              (0)
#define MICROPY_HW_ENABLE_SDCARD            (0)

// Modules with a USB bridge of their own speak through it.
#define MICROPY_HW_ENABLE_UART_REPL         (1)
