"""The serial line of a running box: Wi-Fi set-up (Improv) in factory state or after the button, else one question."""

import asyncio

from firmware.wire import improv

POLL_S = 0.05
QUIET_POLLS = 10
SCAN_POLLS = 200  # 10 s
ASKING = b"\x02?\r"  # what a tool types to ask how the box stands (host_tools/device/asked.py)


class ImprovService:
    """Answers frames from a source of bytes: open(), close(), read() and asked() without waiting, write(bytes)."""

    def __init__(self, wifi, source, about, stands):
        """wifi: WifiService; about: (firmware, version, chip, name of the box); stands: function that gives a line."""
        self._wifi = wifi
        self._source = source
        self._about = about
        self._stands = stands
        self._parser = improv.Parser()

    async def run(self):
        """Listen while somebody may set up the box; the line is the prompt's else. Errors: KeyboardInterrupt."""
        quiet = 0
        try:
            while True:
                if not self._wifi.may_set_up():
                    self._source.close()
                    if self._source.asked():
                        self._tell_stands()
                    await asyncio.sleep(1)
                    continue
                self._source.open()
                chunk = self._source.read()
                if self._parser.is_stop(chunk):
                    raise KeyboardInterrupt()
                if b"?" in chunk and not chunk.strip(ASKING):
                    self._tell_stands()
                quiet = 0 if chunk else quiet + 1
                # A frame that stopped in its middle must not swallow the next one.
                frames = self._parser.feed(chunk) if quiet < QUIET_POLLS else self._parser.quiet()
                for kind, data in frames:
                    if kind == improv.COMMAND:
                        await self._command(data)
                await asyncio.sleep(POLL_S)
        finally:
            self._source.close()

    def _tell_stands(self):
        """How the box stands, as one line."""
        self._source.write(self._stands().encode() + b"\r\n")

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
