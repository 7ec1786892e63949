"""What connects the box to the world: Wi-Fi, names, time, broker, page; each is loaded when wanted and kept alive."""

import asyncio
import sys

import firmware
from firmware.drivers import idf_memory
from firmware.services import flash_files

KEEPALIVE_S = 20
BACKOFF_MOST_S = 300
MOST_PACKET = 2304  # a JWS of 2048 bytes and its topic (grid-contract.md); longer is dropped before allocation
TIME_EVERY_S = 5
BUTTON_S = 0.2
SET_UP_S, RESET_S = 3, 10  # bench.md, panel: held for 3 s opens set-up, for 10 s it is a factory reset
NO_BROKER, NO_AUTHORITY = "off", "no_authority"  # rows mqtt.… of words_en.txt, where no client runs
ISSUERS = "issuers.json"  # who may sign what the grid asks for (docs/mqtt.md)


class Connections:
    """Everything beyond the tick; a part that fails is started again and the rest goes on."""

    def __init__(self, app):
        """app: the App. The radio is switched on by start_radio(), before the first tick and after the contactor."""
        self._app = app
        self._config = app.config
        self._resolver = None
        self._updates = self._announcements = self._codes = None
        self.mqtt = None
        self.clock: Any = None  # WallClock once all is started
        self._no_broker = NO_BROKER
        self.wifi = self.web = None  # WifiService, WebService

    def start_radio(self):
        """Switch the radio on where the box has one: that takes some 100 ms, so it comes before the first tick."""
        if self._config.get("has_wifi"):
            from firmware.drivers import radio

            code = radio.switch_on()  # main.py has done it, and knows no one to tell
            if code:
                self._app.notice("wifi", code)  # a box without a radio charges as before
                return
            from firmware.drivers.wifi import Wifi
            from firmware.services.wifi_service import WifiService

            self.wifi = WifiService(self._config, self._app, Wifi())

    async def start(self):
        """Every service that this box has, each kept alive on its own; between two of them the tick has its turn."""
        from firmware import connections_start

        await connections_start.run(self, self._app)
        if sys.modules.pop("firmware.connections_start", None) is not None:
            del firmware.connections_start  # pyright: ignore[reportAttributeAccessIssue]

    def codes(self):
        """Throttle of the installer's code, one for every way to guess it; loaded for the first one."""
        if self._codes is None:
            from firmware.services.throttle import Throttle

            self._codes = Throttle()
        return self._codes

    def start_mqtt(self):
        """The broker, where one is set; without one none of its code is loaded, with one it is after the first tick."""
        mqtt_config = self._mqtt_config()
        if mqtt_config is not None:
            from firmware.services.mqtt_service import MqttService

            self.mqtt = MqttService(mqtt_config, self._app)
            self.keep("mqtt", self.mqtt.run)

    def clock_told(self, code):
        """Show what the clock says on the page; the broker is tried anew once there is a time."""
        if code != "set":
            self._app.notice("clock", "clock." + code)
            return
        for known in ("clock.missing", "clock.early"):
            if known in self._app.notices:
                self._app.notices.remove(known)
        if self.mqtt is not None:
            self.mqtt.client.hurry()

    def updates(self):
        """Updates of the box; loaded for the first one, and for a trial."""
        if self._updates is None:
            from firmware.updates import Updates

            self._updates = Updates(self._app)
        return self._updates

    def update_announced(self, payload, is_retained):
        """Code of why an update announced over MQTT is not even looked at, or "" (docs/updates.md)."""
        if not self._app.settings().may_update_by_mqtt:
            self._app.notice("update", "update.not_allowed")
            return "not_allowed"
        try:
            if self._announcements is None:
                from firmware.services.announced_update import Announcements

                self._announcements = Announcements(self._app, self.updates())
            self._announcements.taken(payload, is_retained)
        except Exception as error:  # a message that ends the connection would come again with each new one
            self._app.tell("update", repr(error))
            return "not_capable"
        return ""

    def keep(self, name, run):
        """Keep `run` (makes a coroutine) running from now on."""
        self._app.health.add(name, run)

    def keep_ledger(self):
        """Coroutine of the ledger."""
        return self._app.ledger.run(self._app)

    def update_taken(self, request):
        """Coroutine that takes an update from the page."""
        return self.updates().taken(request)

    def stands(self):
        """State, letter and contactor for a tool that must not stop a box that charges."""
        memory = self._app.loop.memory
        contactor = "closed" if memory.outputs.is_contactor_closed else "open"
        return "ebb: stands %s %s %s" % (memory.stage.state, memory.pilot.letter, contactor)

    async def watch_button(self):
        """Held for 3 s: set-up is open for ten minutes; for 10 s: factory reset. One that never came up is stuck."""
        held_s = None
        while True:
            readings = self._app.loop.readings
            if readings is not None and not readings.is_button_pressed:
                held_s = 0
            elif held_s is not None:
                held_s += BUTTON_S
                if self.wifi is not None and held_s - BUTTON_S < SET_UP_S <= held_s:
                    self.wifi.button_held_3s()
                if held_s - BUTTON_S < RESET_S <= held_s:
                    from firmware.services import factory_reset

                    await factory_reset.run(self._app)
            await asyncio.sleep(BUTTON_S)

    async def keep_time(self):
        """Ask the outside world for the time, where it answers without blocking."""
        import ntptime

        while True:
            wall_s = ntptime.time()
            if wall_s is not None:
                self.clock.offer(wall_s, 0)
            await asyncio.sleep(TIME_EVERY_S)

    def _name_servers(self):
        """Addresses of the name servers of today."""
        given = self._config.get("dns_servers")
        if given or self.wifi is None:
            return given or ()
        return self.wifi.wifi.dns_servers()

    async def address_of(self, host):
        """Numeric address of a host, which never blocks. Errors: OSError in words."""
        if host.replace(".", "").isdigit():
            return host
        if self._resolver is None:
            # Loaded for the first name: a broker with an address needs none of it.
            from firmware.services.resolver import Resolver

            self._resolver = Resolver(self._name_servers, (self._app.now_ms, self._app.random_below))
        return await self._resolver.address_of(host)

    def tls_gate(self, ca_der):
        """TlsGate for an encrypted connection, None for a plain one."""
        if not ca_der:
            return None
        from firmware.services.tls_gate import TlsGate

        return TlsGate(self._app.loop, self._app.now_ms, idf_memory.told)

    def authority(self):
        """Who signs the certificates that are believed, as DER; b"" for nobody: nothing is encrypted then."""
        if not self._config.get("mqtt_ca_path"):
            return b""
        with open(self._config["mqtt_ca_path"], "rb") as file:
            return file.read()

    def signed_commands(self, ended):
        """SignedCommands where keys of issuers were put on flash, else None: plain mode (grid-contract.md, trust).

        ended: function of (Command or Refusal, scope) that is told what became of each.
        """
        if not flash_files.is_there(self.issuers_path()):
            return None
        from firmware.services.signed_commands import SignedCommands

        return SignedCommands(self._app, self.issuers_path(), ended)

    def issuers_path(self):
        """Where the keys of those who may sign commands lie."""
        return self._config["data_dir"].rstrip("/") + "/" + ISSUERS

    def _mqtt_config(self):
        """MqttConfig from settings, which a demo's config may override."""
        chosen = self._app.loop.settings
        config = self._config
        box = self._app.box
        host = config.get("mqtt_host") or chosen.mqtt_host
        if not host:
            return None
        login = (chosen.mqtt_user or box, chosen.mqtt_password) if chosen.mqtt_password else None
        port = config.get("mqtt_port") or chosen.mqtt_port
        authority = self.authority()
        if not config.get("mqtt_host"):  # else whoever wrote box.json chose with mqtt_ca_path
            if chosen.mqtt_is_tls and not authority:
                self._no_broker = NO_AUTHORITY  # nothing goes in the clear that the owner wants encrypted
                return None
            authority = authority if chosen.mqtt_is_tls else b""
        from firmware.services.mqtt_client import MqttConfig
        from firmware.wire import mqtt_topics

        will = (mqtt_topics.built(box, "online"), b"0")
        return MqttConfig(host, port, box, login, KEEPALIVE_S, will, authority, MOST_PACKET, BACKOFF_MOST_S)

    def memory(self):
        """(free, largest block, least free since the start) of the chip's own system in bytes, None on a PC."""
        return idf_memory.told()

    def status(self, phrase):
        """{"mqtt_is_connected", "mqtt_words", …} for the page."""
        code, detail, is_connected = self._no_broker, "", False
        if self.mqtt is not None:
            found = self.mqtt.client.status()
            code, detail, is_connected = found.code, found.detail, found.is_connected
        words = phrase("mqtt." + code)[0]
        made = {"mqtt_is_connected": is_connected, "mqtt_words": words + ": " + detail if detail else words + "."}
        memory = self.memory()
        if memory is not None:
            made.update({"idf_free_b": memory[0], "idf_largest_b": memory[1], "idf_least_b": memory[2]})
        if self.wifi is not None:
            now = self.wifi.status()
            made.update({"wifi_ssid": now.ssid, "wifi_words": self.wifi.words(now.code), "address": now.address})
        return made
