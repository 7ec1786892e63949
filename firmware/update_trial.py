"""The trial of a version that was started for the first time; loaded for it, and dropped at the next start."""

import asyncio

from firmware import stored_numbers
from firmware.core import faults, self_test
from firmware.core.records import Memory
from firmware.services import short_pause

TRIED_S = 60  # a version that has lived so long may pass
WEB_S = 10
KEPT_B = 64  # of the answer


async def run(updates, app):
    """Ticks for a minute without a crash, the self-test of the leakage sensor, and an answer of the page.

    updates: the Updates, which are told at the end; app: the App.
    """
    import starter

    loop = app.loop
    is_tested = False
    begun_ms = seen_ms = loop.memory.now_ms
    while loop.memory.now_ms - begun_ms < TRIED_S * 1000 or not is_tested or not await is_answering(app):
        is_tested = is_tested or has_passed(loop)
        await asyncio.sleep(1)
        has_crashed = any([active.row == faults.X1 for active in loop.memory.faults.active])
        if has_crashed or loop.memory.now_ms == seen_ms:
            begun_ms = loop.memory.now_ms
        seen_ms = loop.memory.now_ms
    # It stays, and from now on none of a lower security version is taken. A car that charges by now pauses for it:
    # at the end of its time the starter would take the version away, and the car's contactor with it.
    while not await short_pause.opened(app):
        pass
    letter, runs = starter.slot(), updates.running()  # its bytes were compared at its start
    if not is_image_kept(starter):  # its flash fails: the starter takes the version away at the end of its time
        short_pause.over(app)
        return
    stored_numbers.set_number("slot", starter.SLOTS.index(letter))
    security = max(runs[2] if runs else 0, stored_numbers.number_of("security"))
    stored_numbers.set_number("security", security)
    short_pause.over(app)
    updates.trial_over()


def is_image_kept(starter):
    """Tell ESP-IDF that the image on trial stays, before the slot does; True also where none is on trial."""
    if not hasattr(starter, "IMAGE") or not stored_numbers.number_of("slot") & starter.IMAGE:
        return True
    from firmware import image_writer

    try:
        image_writer.confirm()
    except OSError:
        return False
    return True


def has_passed(loop):
    """Whether the leakage sensor has passed its self-test; a box at rest that has none under way begins one.

    At rest it would come in a day, and anew after each car. A car's own test counts as well, and nothing touches that.
    """
    now_ms, pilot, stage = loop.memory[:3]
    if stage.state == "idle" and stage.test == "":
        loop.memory = Memory(now_ms, pilot, self_test.with_test(stage, "", now_ms), *loop.memory[3:])
    return stage.test == "passed"


async def is_answering(app):
    """Whether the page answers, where the board has one. It is asked within: strangers may hold all its connections."""
    if not app.config.get("web_port") or not app.board.facts.has_page:
        return True
    web, asked = app.connections.web, Asked()
    if web is None or not web.is_open:
        return False
    try:
        await asyncio.wait_for(web.answered(asked, asked), WEB_S)
    except (OSError, asyncio.TimeoutError):
        return False
    return asked.octets.split(b" ")[1:2] == [b"200"]


class Asked:
    """Reader and writer of the trial's question to the page."""

    def __init__(self):
        self._lines = [b"GET /healthz HTTP/1.0\r\n", b"\r\n"]
        self.octets = b""

    async def readline(self):
        """The next line."""
        return self._lines.pop(0)

    def get_extra_info(self, name):
        """Nobody asks."""
        return None

    async def awrite(self, body):
        """Keep the head of the answer."""
        self.octets = (self.octets + body)[:KEPT_B]

    async def aclose(self):
        """Nothing to close."""
