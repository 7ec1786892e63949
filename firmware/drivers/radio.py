"""The radio comes before the heap: MicroPython's heap grows into the memory that it needs and never gives it back."""


def switch_on():
    """Switch the station on, some 100 ms; "" or why it stays off: a code of words_en.txt. A second call does nothing.

    Called once the contactor is open and before the app is imported (docs/decisions/0012).
    """
    try:
        import network

        network.WLAN(network.STA_IF).active(True)
    except ImportError:
        return "wifi.no_radio"
    except (OSError, RuntimeError):  # images up to 1.26 say RuntimeError("Wifi Unknown Error 0x0101")
        return "wifi.no_memory"
    return ""
