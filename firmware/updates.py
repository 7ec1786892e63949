"""Ties an update to the box: when it may come, into which slot, the restart, and the trial of what was started."""

import asyncio

from firmware.core import faults, self_test
from firmware.core.records import Event, Memory
from firmware.services.bounded_reader import TooMuch
from firmware.services.stream_end import closed

WHOLE_S = 600  # for a whole update over a weak Wi-Fi
DRAIN_S = 20  # a sender that is refused hears it only once its body has been read
DRAIN_B = 2048
ANSWER_S = 1  # the answer goes out before the restart
TRIED_S = 60  # a version that has lived so long under its trial may pass it
WEB_S = 10
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
            self._note("update", "trial", self._app.version)
            # At rest the self-test comes once a day: a version on trial does not wait so long.
            loop = self._app.loop
            now_ms, pilot, stage = loop.memory[:3]
            loop.memory = Memory(now_ms, pilot, self_test.with_test(stage, "", now_ms), *loop.memory[3:])
            self._tasks.append(asyncio.create_task(self._tried()))
        else:
            self._note("rolled_back", "", "")
            self._app.notice("update", "update.rolled_back")

    def _note(self, code, tag, what):
        """One event for the log."""
        self._app.log.put(self._app.now_ms(), Event(code, (tag, what)))

    def _told(self, code, place):
        """(words, what to do) of a code, which are told on the console and in the log too.

        place: address that it came from, None of what was announced over MQTT. Whoever may announce can be refused as
        often as he likes: that is security once in a while, and everyday in between, so that it pushes out nothing.
        """
        found = self._app.phrases.phrase("update." + code)
        now_ms = self._app.now_ms()
        is_good = code in ("stored", "confirmed")
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
            body = Body(request.stream, request.content_length)
            code = await self.received(body)
            await body.drained()
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
        security = max(security, starter.number_of(starter.memory(), "security"))
        one = updater.Updater("/" + other, (board, version, security, modulus), body.left_b)
        body.lengthen(WHOLE_S)
        code = await updater.received(one, body, self.why_not)
        self.has_begun = one.has_begun
        if code == "stored":
            starter.forget_crashes()
            # On trial from its next start on. One number: a power cut leaves the old version or the new one chosen.
            starter.set_number(starter.memory(), "slot", starter.SLOTS.index(other) | starter.START)
        return code

    async def _restarted(self):
        """Start the new version as soon as the answer is out and no car hangs on the box."""
        import machine
        import starter

        await asyncio.sleep(ANSWER_S)
        while self.why_not():
            await asyncio.sleep(ANSWER_S)
        starter.set_number(starter.memory(), "planned", 1)
        machine.reset()

    async def _tried(self):
        """Ticks for a minute without a crash, the self-test of the leakage sensor, and an answer of the page."""
        import starter

        loop = self._app.loop
        begun_ms = seen_ms = loop.memory.now_ms
        while loop.memory.now_ms - begun_ms < TRIED_S * 1000 or not await self._is_well():
            await asyncio.sleep(1)
            has_crashed = any([active.row == faults.X1 for active in loop.memory.faults.active])
            if has_crashed or loop.memory.now_ms == seen_ms:
                begun_ms = loop.memory.now_ms
            seen_ms = loop.memory.now_ms
        # It stays, and from now on none of a lower security version is taken.
        store, letter = starter.memory(), starter.slot()
        starter.set_number(store, "slot", starter.SLOTS.index(letter))
        security = max(starter.security_of(letter), starter.number_of(store, "security"))
        starter.set_number(store, "security", security)
        self._told("confirmed", "")
        self._app.config["update"] = ""
        self._tasks.pop()

    async def _is_well(self):
        """Whether the self-test has passed and the page answers, where the board has one."""
        if self._app.loop.memory.stage.test != "passed":
            return False
        config = self._app.config
        if not config.get("web_port") or not self._app.board.facts.has_page:
            return True
        host = config.get("web_host", "")
        try:
            return await asyncio.wait_for(
                answers("127.0.0.1" if host == "0.0.0.0" else host, config["web_port"]), WEB_S
            )
        except (OSError, asyncio.TimeoutError):
            return False


async def answers(host, port):
    """Whether the page at this address answers as it should. Errors: OSError."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /healthz HTTP/1.0\r\nHost: " + host.encode() + b"\r\n\r\n")
        await writer.drain()
        return (await reader.readline()).split(b" ")[1:2] == [b"200"]
    finally:
        await closed(writer)


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
        if count > self.left_b:
            raise EOFError()
        self.left_b -= count
        try:
            return await self._reader.readexactly(count)
        except TooMuch as error:
            raise OSError(str(error))  # the ten minutes are over: it broke off, and the slot is emptied

    async def drained(self):
        """Read what is left and forget it, for a while."""
        self.lengthen(DRAIN_S)
        try:
            while self.left_b > 0:
                await self.readexactly(min(DRAIN_B, self.left_b))
        except Exception:  # the line has broken, or the sender is too slow: then it is not told
            self.left_b = 0
