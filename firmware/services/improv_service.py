"""The serial line of a running box: Wi-Fi set-up (Improv) in factory state or after the button, and two requests.

They are answered at any time: how the box stands, and its settings (host_tools/device/asked.py, settings.py there).
"""

import asyncio

from firmware.services.flash_gate import gate
from firmware.wire import cable_line, improv

POLL_S = 0.05
QUIET_POLLS = 10
SCAN_POLLS = 200  # 10 s
QUIET_LINE_POLLS = 40  # 2 s
KEYS = b"\r\n\x02"  # what a tool types beside plain characters
CHARGING = b'ebb: settings refused {"code": "charging", "field": "", "words": ""}\r\n'


def is_typed(chunk):
    """Whether these bytes are plain characters, which no whole frame of Improv is."""
    return all(32 <= byte < 127 or byte in KEYS for byte in chunk)


class ImprovService:
    """Answers frames from a source of bytes: open(), close(), read() and heard() without waiting, write(bytes)."""

    def __init__(self, app, wifi, source, about, stands):
        """wifi: WifiService; about: (firmware, version, chip, name of the box); stands: function that gives a line."""
        self._app = app
        self._wifi = wifi
        self._source = source
        self._about = about
        self._stands = stands
        self._parser = improv.Parser()
        self._lines = cable_line.Lines()
        self._line_quiet = 0

    async def run(self):
        """Listen while somebody may set up the box; the line is the prompt's else. Errors: KeyboardInterrupt."""
        quiet = 0
        try:
            while True:
                if not self._wifi.may_set_up():
                    self._source.close()
                    chunk = self._source.heard()
                    await self._asked(chunk)
                    await asyncio.sleep(POLL_S if chunk or self._lines.is_open() else 1)
                    continue
                self._source.open()
                chunk = self._source.read()
                if self._parser.is_stop(chunk):
                    raise KeyboardInterrupt()
                await self._asked(chunk if is_typed(chunk) else b"")
                quiet = 0 if chunk else quiet + 1
                # A frame that stopped in its middle must not swallow the next one.
                frames = self._parser.feed(chunk) if quiet < QUIET_POLLS else self._parser.quiet()
                for kind, data in frames:
                    if kind == improv.COMMAND:
                        await self._command(data)
                await asyncio.sleep(POLL_S)
        finally:
            self._source.close()

    async def _asked(self, chunk):
        """Answer what these bytes ask for outside of Improv."""
        self._line_quiet = 0 if chunk else self._line_quiet + 1
        if self._line_quiet > QUIET_LINE_POLLS:
            self._lines.quiet()
        for asked in self._lines.feed(chunk):
            if asked == b"?":
                self._source.write(self._stands().encode() + b"\r\n")
            elif gate.may_touch_files():
                from firmware.services import cable_settings, dropped

                try:
                    await cable_settings.answered(self._app, self._wifi, asked, self._source.write)
                finally:
                    dropped.drop()
            else:  # what answers would be read from flash (faults.md X3)
                self._source.write(CHARGING)

    def _tell(self, kind, value):
        """State or error, as one frame."""
        self._source.write(improv.framed(kind, bytes((value,))))

    async def _command(self, data):
        """Do one command."""
        made = improv.command_of(data)
        if made is None:
            return self._tell(improv.ERROR, improv.BAD_PACKET)
        command, rest = made
        if command not in (improv.SEND_WIFI, improv.ASK_STATE, improv.ASK_DEVICE, improv.ASK_NETWORKS):
            return self._tell(improv.ERROR, improv.UNKNOWN_COMMAND)
        self._tell(improv.ERROR, improv.NO_ERROR)
        if command == improv.SEND_WIFI:
            await self._send_wifi(rest)
        elif command == improv.ASK_STATE:
            self._state(command)
        elif command == improv.ASK_DEVICE:
            self._source.write(improv.result(command, self._about))
        else:
            await self._networks(command)

    def _state(self, command):
        """Where set-up stands, and the page's address when it is done."""
        now = self._wifi.status()
        if now.trial == "trying":
            return self._tell(improv.STATE, improv.PROVISIONING)
        if now.state != "joined":
            return self._tell(improv.STATE, improv.READY)
        self._tell(improv.STATE, improv.PROVISIONED)
        self._source.write(improv.result(command, ("http://%s/" % now.address,)))

    async def _send_wifi(self, data):
        """Try credentials and tell how it ended."""
        pair = improv.wifi_of(data)
        if pair is None:
            return self._tell(improv.ERROR, improv.BAD_PACKET)
        if self._wifi.offer(*pair) is None:
            self._tell(improv.STATE, improv.PROVISIONING)
            while self._wifi.status().trial == "trying":
                await asyncio.sleep(POLL_S)
            if self._wifi.status().trial in ("stored", "not_stored"):
                return self._state(improv.SEND_WIFI)
        self._tell(improv.ERROR, improv.NOT_CONNECTED)
        return self._state(improv.ASK_STATE)

    async def _networks(self, command):
        """Scan, and one result a network; an empty one ends the list."""
        radio = self._wifi.wifi
        radio.start_scan()
        for _ in range(SCAN_POLLS):
            if not radio.is_scanning():
                break
            await asyncio.sleep(POLL_S)
        for ssid, rssi_dbm, is_open in radio.scan():
            self._source.write(improv.result(command, (ssid, str(rssi_dbm), "NO" if is_open else "YES")))
        self._source.write(improv.result(command, ()))
