"""What connects the box to the world: Wi-Fi, names, time, broker, page; each is loaded when wanted and kept alive."""

import asyncio
import sys

from firmware.services import flash_files
from firmware.services.mqtt_client import MqttConfig, Status
from firmware.services.mqtt_service import MqttService
from firmware.wire import mqtt_topics

KEEPALIVE_S = 20
BACKOFF_MOST_S = 300
MOST_PACKET = 2304  # a JWS of 2048 bytes and its topic (grid-contract.md); longer is dropped before allocation
TIME_EVERY_S = 5
BUTTON_S = 0.2
RECORDER_S = 60  # where the page has its memory; a tick takes 32 bytes (docs/flight-recorder.md)
SET_UP_S, RESET_S = 3, 10  # bench.md, panel: held for 3 s opens set-up, for 10 s it is a factory reset
NO_BROKER, NO_AUTHORITY = Status(False, "off", "", 0, 0, False), Status(False, "no_authority", "", 0, 0, False)
NTP_HOSTS = ("0.pool.ntp.org", "1.pool.ntp.org")
NTP_PORT = 123
ISSUERS = "issuers.json"  # who may sign what the grid asks for (docs/mqtt.md)


class Connections:
    """Everything beyond the tick; a part that fails is started again and the rest goes on."""

    def __init__(self, app):
        """app: the App. The radio is switched on by start_radio(), before the first tick and after the contactor."""
        self._app = app
        self._config = app.config
        self._resolver = None
        self._updates = self._announcements = None
        self.mqtt = None
        self._no_broker = NO_BROKER
        self.wifi = None

    def start_radio(self):
        """Switch the radio on where the box has one: that takes some 100 ms, so it comes before the first tick."""
        if self._config.get("has_wifi"):
            from firmware.drivers.wifi import Wifi
            from firmware.services.wifi_service import WifiService

            self.wifi = WifiService(self._config, self._app, Wifi())

    def start(self):
        """Every service that this box has, each kept alive on its own."""
        config = self._config
        self._keep("ledger", lambda: self._app.ledger.run(self._app))
        if self.wifi is not None:
            self._keep("wifi", self.wifi.run)
            self._start_improv()
        self._keep("button", self._watch_button)
        mqtt_config = self._mqtt_config()
        if mqtt_config is not None:
            self.mqtt = MqttService(mqtt_config, self._app)
            self._keep("mqtt", self.mqtt.run)
        if config.get("has_outside_time"):
            self._keep("time", self._keep_time)
        elif self.wifi is not None:
            from firmware.services.time_sync import TimeSync

            places = tuple((host, NTP_PORT) for host in config.get("ntp_hosts", NTP_HOSTS))
            self._keep("time", TimeSync(self._app.board, self, places, self._app.random_below).run)
        has_page = config.get("web_port") and self._app.board.facts.has_page
        seconds = config.get("recorder_s", RECORDER_S if has_page else 0)
        recorder = None
        if seconds:
            from firmware.services import flight_recorder

            recorder = flight_recorder.add_to(self._keep, self._app, seconds)
        if has_page:
            from firmware.services import log_store

            self._start_page(recorder, log_store.add_to(self._keep, self._app))
        if config.get("update"):
            self.updates().begun(config["update"])

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

    def _keep(self, name, run):
        self._app.health.add(name, run)

    def _start_page(self, recorder, store):
        """A board without memory for the page runs without it. recorder: FlightRecorder or None; store: LogStore."""
        from firmware.services import backup_pages, history_pages, issuer_pages, log_pages
        from firmware.services.web_service import WebService

        web = WebService(self._config, self._app)
        backup_pages.add_to(web, self._app)
        history_pages.add_to(web, self._app)
        issuer_pages.add_to(web, self._app)
        web.add_stream("/api/update", lambda request: self.updates().taken(request))
        if self.wifi is not None:
            from firmware.services import setup_pages

            setup_pages.add_to(web, self.wifi)
        log_pages.add_to(web, store)
        if recorder is not None:
            from firmware.services import flight_pages

            flight_pages.add_to(web, recorder)
        self._keep("web", web.run)

    def _start_improv(self):
        """Set-up over the serial line, for a browser or a tool at the box, and its question how the box stands."""
        from firmware.drivers.console import Console
        from firmware.services.improv_service import ImprovService

        about = ("ebb", self._app.version, sys.platform, self._app.box)
        self._keep("improv", ImprovService(self.wifi, Console(), about, self._stands).run)

    def _stands(self):
        """State, letter and contactor for a tool that must not stop a box that charges."""
        memory = self._app.loop.memory
        contactor = "closed" if memory.outputs.is_contactor_closed else "open"
        return "ebb: stands %s %s %s" % (memory.stage.state, memory.pilot.letter, contactor)

    async def _watch_button(self):
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

    async def _keep_time(self):
        """Ask the outside world for the time, where it answers without blocking."""
        import ntptime

        while True:
            wall_s = ntptime.time()
            if wall_s is not None:
                self._app.board.set_wall_s(wall_s)
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

        return TlsGate(self._app.loop, self._app.now_ms)

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
        will = (mqtt_topics.built(box, "online"), b"0")
        authority = self.authority()
        if not config.get("mqtt_host"):  # else whoever wrote box.json chose with mqtt_ca_path
            if chosen.mqtt_is_tls and not authority:
                self._no_broker = NO_AUTHORITY  # nothing goes in the clear that the owner wants encrypted
                return None
            authority = authority if chosen.mqtt_is_tls else b""
        return MqttConfig(host, port, box, login, KEEPALIVE_S, will, authority, MOST_PACKET, BACKOFF_MOST_S)

    def status(self, phrase):
        """{"mqtt_is_connected", "mqtt_words", …} for the page."""
        found = self.mqtt.client.status() if self.mqtt else self._no_broker
        words = phrase("mqtt." + found.code)[0]
        made = {
            "mqtt_is_connected": found.is_connected,
            "mqtt_words": words + ": " + found.detail if found.detail else words + ".",
        }
        if self.wifi is not None:
            now = self.wifi.status()
            made.update({"wifi_ssid": now.ssid, "wifi_words": self.wifi.words(now.code), "address": now.address})
        return made
