"""Wi-Fi: joins and always comes back, tries new credentials before it keeps them, opens set-up when it may."""

import asyncio
from collections import namedtuple

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import wifi_plan

POLL_S = 0.5

# code, trial: rows wifi.… of words_en.txt, trial "" before any; address "" without one; state: as in wifi_plan.STEPS.
WifiStatus = namedtuple("WifiStatus", ("state", "code", "trial", "ssid", "address", "is_set_up_on"))


class WifiService:
    """run() for ever. What a person does comes in by button_held_3s() and offer(); nothing here touches charging."""

    def __init__(self, config, app, wifi):
        """config: dict with box, ap_secret; app: the App, of which only public names are used; wifi: drivers.Wifi."""
        self._config = config
        self._app = app
        self.wifi = wifi
        self._plan = wifi_plan.first(self._has_credentials(), app.now_ms())
        self._offered = ("", "")
        self._trial = ""
        self._until_ms = 0
        self._point = None
        self._cause = "" if self._has_credentials() else "factory"

    def _has_credentials(self):
        return self._app.settings().wifi_ssid != ""

    def button_held_3s(self):
        """A person stands at the box: set-up is open for ten minutes from now."""
        self._cause = "button"

    def offer(self, ssid, password):
        """Try credentials for 30 s, keeping the old ones until then. None, or a Refusal."""
        from firmware.wire import wifi_rules

        code = wifi_rules.refused(ssid, password)
        plan = None if code else wifi_plan.trial(self._plan, self._app.now_ms())
        if plan is None:
            code = code or "busy"
            return Refusal(code, "password" if code == "bad_password" else "ssid", self.words(code), None)
        self._plan, self._offered, self._trial = plan, (ssid, password), "trying"
        self.wifi.disconnect()
        return None

    def is_set_up_on(self):
        """Whether the set-up access point is on."""
        return self._point is not None and self._point.is_on

    def may_set_up(self):
        """Whether somebody at the box may set it up over its serial line: in factory state or after the button."""
        return not self._has_credentials() or self._app.now_ms() < self._until_ms

    def is_joined(self):
        """Whether the box is on a Wi-Fi and has an address."""
        return self._plan.state == "joined"

    def status(self):
        """How Wi-Fi stands, and how the last trial ended."""
        plan = self._plan
        ssid = self._offered[0] or self._app.settings().wifi_ssid
        return WifiStatus(plan.state, plan.code, self._trial, ssid, self.wifi.address(), self.is_set_up_on())

    def words(self, code):
        """A code in words, with what to do."""
        words, todo = self._app.phrases.phrase("wifi." + code)
        return words + ". " + todo if todo else words + "."

    async def run(self):
        """Look twice a second. The access point ends with the service."""
        self.wifi.set_hostname(self._config["box"])
        try:
            while True:
                self.step()
                if self._point is not None:
                    self._point.keep_dns()
                await asyncio.sleep(POLL_S)
        finally:
            self._close_point()  # a service that starts again opens it for the rest of its time

    def step(self):
        """One look at the radio, and what follows from it."""
        now_ms = self._app.now_ms()
        before = self._plan
        look = wifi_plan.Look(*self.wifi.look())
        self._plan, action = wifi_plan.stepped(before, look, now_ms, self._app.random_below)
        if action:
            self._act(action, now_ms)
        if self._plan.code != before.code:
            self._app.tell("wifi", self.words(self._plan.code))
        self._keep_window(now_ms)

    def _act(self, action, now_ms):
        """Do what the plan says; a try that the radio refuses has failed, and it is told to leave what it does."""
        chosen = self._app.settings()
        try:
            if action == "join":
                self.wifi.connect(chosen.wifi_ssid, chosen.wifi_password)
            elif action == "try":
                self.wifi.connect(*self._offered)
            elif action == "keep":
                self._keep()
            else:
                self.wifi.disconnect()
        except OSError as error:
            self._app.tell("wifi", str(error))
            self._plan = wifi_plan.refused(self._plan, now_ms, self._app.random_below)
            self.wifi.disconnect()
        if action == "roll_back":
            self._trial, self._offered = self._plan.code, ("", "")
            self._app.tell("wifi", self.words("rolled_back"))

    def _keep(self):
        """The new credentials work: from now on they are the box's own."""
        ssid, password = self._offered
        self._offered = ("", "")
        made = settings.changed(self._app.settings(), {"wifi_ssid": ssid, "wifi_password": password})
        self._app.loop.settings = made
        self._trial = "stored"
        try:
            self._app.store.save(made)
        except OSError:
            self._trial = "not_stored"
        self._app.tell("wifi", self.words(self._trial))
        self._cause = "stored"

    def _keep_window(self, now_ms):
        """Open the access point when somebody may set up, and close it when the time is over."""
        cause, self._cause = self._cause, ""
        if cause:
            self._until_ms = wifi_plan.window_until_ms(self._until_ms, cause, now_ms)
        if now_ms >= self._until_ms:
            self._close_point()
            return
        if cause == "button" and not self.is_set_up_on():
            self._point = None  # a second press tries again what failed
        if self._point is None:
            from firmware.services.setup_point import SetupPoint

            self._point = SetupPoint(self._config, self._app, self.wifi)

    def _close_point(self):
        if self._point is not None:
            self._point.close()
            self._point = None
