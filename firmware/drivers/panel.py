"""What a person touches and sees at the box: light, button, lid."""

from machine import Pin

# pattern: red, green, blue, blinks
PATTERNS = (
    ("off", 0, 0, 0, False),
    ("blue", 0, 0, 1, False),
    ("blue_blink", 0, 0, 1, True),
    ("green", 0, 1, 0, False),
    ("green_blink", 0, 1, 0, True),
    ("red", 1, 0, 0, False),
)
BLINK_TICKS = 20
WINK_TICKS, WINK_EVERY = 4, 200  # of a dark light where the time of day is missing: 80 ms in 4 s


class Panel:
    """Three light pins, a button to ground and a lid switch to ground."""

    def __init__(self, pins):
        self._lights = [Pin(pin, Pin.OUT, value=0) for pin in (pins.led_red, pins.led_green, pins.led_blue)]
        self._button = Pin(pins.button, Pin.IN, Pin.PULL_UP)
        self._lid = Pin(pins.lid_closed, Pin.IN, Pin.PULL_UP)
        self._ticks = 0
        self._shown = (0, 0, 0)
        self.is_time_missing = False

    def show(self, pattern):
        """Light for this tick. A missing time of day winks in blue where all is dark: in idle and nowhere else."""
        self._ticks = (self._ticks + 1) % WINK_EVERY
        if self.is_time_missing and pattern == "off" and self._ticks < WINK_TICKS:
            pattern = "blue"
        for row in PATTERNS:
            if row[0] == pattern:
                levels = (0, 0, 0) if row[4] and self._ticks % (2 * BLINK_TICKS) >= BLINK_TICKS else row[1:4]
                if levels != self._shown:
                    self._shown = levels
                    for index in range(3):
                        self._lights[index].value(levels[index])

    def is_button_pressed(self):
        """Pressed pulls to ground."""
        return self._button.value() == 0

    def is_lid_closed(self):
        """A closed lid pulls to ground."""
        return self._lid.value() == 0
