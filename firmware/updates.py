"""Ties an update to the box: when it may come, into which slot, and the restart; update_trial.py tries what started."""

import asyncio

from firmware import stored_numbers
from firmware.core.records import Event
from firmware.services.flash_gate import gate

WHOLE_S = 600  # for a whole update over a weak Wi-Fi
ANSWER_S = 1  # the answer goes out before the restart
QUIET_MS = 600_000  # between two refusals of what is announced that are kept as security
STATUS_OF = {"stored": 200, "busy": 409, "plugged": 409, "trial": 409, "too_big": 413, "not_stored": 507}


class Updates:
    """Updates of one App."""

    def __init__(self, app):
        """app: the App, of which only public names are used."""
        self._app = app
        self._is_busy = False
        self._quiet_until_ms = 0
        self._tasks = []
        self._is_over_image = False  # the update brought modules that stand before those of the image
        self.has_begun = False  # the last update came so far that the other slot was written

    def why_not(self):
        """Code of why the box may not be updated now, "" where it may: never while a car hangs on it."""
        memory = self._app.loop.memory
        if self._app.loop.readings is None or memory.pilot.letter != "A" or memory.outputs.is_contactor_closed:
            return "plugged"
        return ""

    def begun(self, word):
        """What the starter says of this start: "trial" or "came_back" (the version before runs again)."""
        if word == "trial":
            from firmware import update_trial

            self._note("update", "trial", self._app.version)
            self._tasks.append(asyncio.create_task(update_trial.run(self, self._app)))
        else:
            self._note("rolled_back", "", "")
            self._app.notice("update", "update.rolled_back")

    def _note(self, code, tag, what):
        """One event for the log."""
        self._app.log.put(self._app.now_ms(), Event(code, (tag, what)))

    def trial_over(self):
        """The version that runs stays; what waited for that comes now."""
        self._told("confirmed", "")
        self._app.config["update"] = ""
        self._tasks.pop()
        if self._app.config.get("storage_code") == "later":  # the next start divides it (drivers/data_layout.py)
            self._tasks.append(asyncio.create_task(self._restarted()))

    def _told(self, code, place):
        """(words, what to do) of a code, which are told on the console and in the log too.

        place: address that it came from, None of what was announced over MQTT. Whoever may announce can be refused as
        often as he likes: that is security once in a while, and everyday in between, so that it pushes out nothing.
        """
        found = self._app.phrases.phrase("update." + code)
        now_ms = self._app.now_ms()
        is_good = code in ("stored", "stored_over_image", "confirmed")
        if place is None and not is_good:
            if now_ms < self._quiet_until_ms:
                self._app.tell("update", found[0])
                return found
            self._quiet_until_ms = now_ms + QUIET_MS
        self._note("update" if is_good else "update_refused", code, "mqtt" if place is None else place)
        print("ebb: update", found[0])
        return found

    async def taken(self, request):
        """Answer to a POST whose body is an update; one at a time."""
        from firmware.services import web_service
        from firmware.services.bounded_reader import MOST_BODY

        if 0 < request.content_length <= MOST_BODY:
            code = self.first_no() or "wrong_length"  # it was read with the request; no update is so short
        else:
            code = await self.received(Body(request.stream, request.content_length))
            await request.stream.dropped()
        words, todo = self.ended(code, web_service.place_of(request))
        answer = {"code": code, "field": "", "words": words, "todo": todo}
        return web_service.answer(answer, STATUS_OF.get(code, 400))

    async def received(self, body):
        """Code of what became of an update; one at a time. body: Body, or what has its calls."""
        code = self.first_no()
        if code:
            return code
        self._is_busy = True
        try:
            return await body.opened() or await self._received(body)
        finally:
            self._is_busy = False

    def ended(self, code, place):
        """(words, what to do) of a code that received() gave; an update that is stored starts soon. place: as _told."""
        if code == "stored":
            self._tasks.append(asyncio.create_task(self._restarted()))
            if self._is_over_image:
                code = "stored_over_image"
        return self._told(code, place)

    def first_no(self):
        """Code of a no that needs no look at the update."""
        try:
            import starter
        except ImportError:
            return "no_slot"  # a PC has none
        if not starter.slot():
            return "no_slot"
        if self._app.config.get("update") == "trial":
            return "trial"
        if self._is_busy or self._tasks:
            return "busy"
        return self.why_not()

    def running(self):
        """(board, version, security, modulus) of the slot that runs, None where they cannot be read."""
        import starter

        from firmware.services import updater

        try:
            return updater.running("/" + starter.slot())
        except (OSError, ValueError, KeyError):
            return None

    async def _received(self, body):
        """Code of what became of it; a slot that was stored is the next one to start."""
        import starter

        from firmware.services import updater

        other = starter.SLOTS[1 - starter.SLOTS.index(starter.slot())]
        runs = self.running()
        if runs is None:
            return "not_stored"
        board, version, security, modulus = runs
        security = max(security, stored_numbers.number_of("security"))
        one = updater.Updater("/" + other, (board, version, security, modulus), body.left_b, starter.fits, image_for)
        body.lengthen(WHOLE_S)
        code = await updater.received(one, body, self.why_not)
        self.has_begun = one.has_begun
        if code == "stored":
            self._is_over_image = bool(starter.image()[0]) and not starter.is_frozen(other)
            code = chosen(one, other)
            if code != "stored":
                for _ in one.clear():
                    await asyncio.sleep(0)
        forget_image_writer()
        return code

    async def _restarted(self):
        """Start the new version as soon as the answer is out and no car hangs on the box."""
        import machine

        await asyncio.sleep(ANSWER_S)
        while self.why_not() or not gate.may_touch_files():
            await asyncio.sleep(ANSWER_S)
        stored_numbers.set_number("planned", 1)
        machine.reset()


def image_for(frozen, image_b):
    """As Updater's images; the code for it is loaded here."""
    from firmware import image_writer

    return image_writer.found(frozen, image_b)


def forget_image_writer():
    """Nothing needs its code before the next image comes, or a start."""
    import sys

    import firmware

    if sys.modules.pop("firmware.image_writer", None) is not None:
        del firmware.image_writer  # pyright: ignore[reportAttributeAccessIssue]


def chosen(updater, other):
    """Make the slot of this letter, which was filled, the next one to start, on trial; its image too where it has one.

    "stored", or the code of a no.
    """
    import starter

    before = stored_numbers.number_of("slot")
    number = starter.SLOTS.index(other) | starter.START
    stored_numbers.set_number("crashes", 0)
    # On trial from its next start on. One number: a power cut leaves the old version or the new one chosen. With an
    # image it comes first: where the image is not chosen behind it, the starter of the one that runs goes back.
    if updater.image is None:
        stored_numbers.set_number("slot", number)
        return "stored"
    stored_numbers.set_number("slot", number | updater.image.place())
    try:
        updater.image.choose()
    except OSError:
        stored_numbers.set_number("slot", before)
        return "image_refused"
    return "stored"


class Body:
    """A request's body, of which no more is read than was announced."""

    def __init__(self, reader, length_b):
        self._reader = reader
        self.left_b = length_b
        self.lengthen = reader.lengthen

    async def opened(self):
        """Code of a no before the first byte, or ""."""
        return "" if self.left_b > 0 else "wrong_length"

    async def readexactly(self, count):
        """So many bytes. Errors: EOFError, OSError."""
        from firmware.services.bounded_reader import TooMuch  # a board without a page has no such reader

        if count > self.left_b:
            raise EOFError()
        self.left_b -= count
        try:
            return await self._reader.readexactly(count)
        except TooMuch as error:
            raise OSError(str(error))  # the ten minutes are over: it broke off, and the slot is emptied
