"""Memory of the chip's own system (ESP-IDF): radio, sockets and TLS live in it; MicroPython's heap grows into it."""

try:
    import esp32
except ImportError:  # a PC
    esp32 = None

# MALLOC_CAP_8BIT, _DMA and _INTERNAL of ESP-IDF's esp_heap_caps.h: what the radio can use. PSRAM is none of it.
CAPS = 1 << 2 | 1 << 3 | 1 << 11


def told():
    """(free, largest block, least free since the start) in bytes; None where there is no such memory, as on a PC.

    The least is the sum of each region's own least: never above the true one.
    """
    if esp32 is None or not hasattr(esp32, "idf_heap_info"):
        return None
    free_b = largest_b = least_b = 0
    for row in esp32.idf_heap_info(CAPS):
        free_b += row[1]
        largest_b = max(largest_b, row[2])
        least_b += row[3]
    return free_b, largest_b, least_b
