"""The set-up access point and its DNS; loaded only while somebody may set up the box."""

import asyncio

from firmware.services.captive_dns import CaptiveDns
from firmware.wire import wifi_rules

DNS_PORT = 53


class SetupPoint:
    """On from its making until close(), or not at all."""

    def __init__(self, config, app, wifi):
        """WPA2 with the box's own secret or nothing; the serial line can set up the box without."""
        self._config = config
        self._app = app
        self._wifi = wifi
        self._dns = None
        self.is_on = False
        secret = config.get("ap_secret")
        if not wifi_rules.is_secret(secret):
            self._tell("no_secret")
            return
        try:
            wifi.start_access_point(wifi_rules.point_name(config["box"]), secret)
            self.is_on = True
            self._tell("set_up")
        except OSError as error:
            app.tell("wifi", str(error))

    def _tell(self, code):
        self._app.tell("wifi", self._app.phrases.phrase("wifi." + code)[0])

    def keep_dns(self):
        """Start the DNS, inside a running loop."""
        if self.is_on and self._dns is None:
            place = (self._config.get("dns_host", CaptiveDns.ADDRESS), self._config.get("dns_port", DNS_PORT))
            self._dns = asyncio.create_task(CaptiveDns(place, self._app.tell).run())

    def close(self):
        """Off, and its DNS with it."""
        if self._dns is not None:
            self._dns.cancel()
            self._dns = None
        if self.is_on:
            self.is_on = False
            self._wifi.stop_access_point()
            self._tell("set_up_over")
