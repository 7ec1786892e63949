"""The owner's call that brings the keys of a programme: keys turn signed mode on, a file without any turns it off."""

import json

from firmware.core.records import Event, Refusal
from firmware.services import flash_files, web_service, web_settings
from firmware.services.bounded_reader import MOST_BODY
from firmware.services.flash_gate import gate

MOST_B = 8192  # six keys of RSA-3072 are 5 kB


class IssuerPages:
    """Calls on the keys of one box; what reads them is loaded when there are any."""

    def __init__(self, app):
        """app: the App, of which only public names are used."""
        self._app = app

    def told(self, request):
        """Who may sign; never a key."""
        if not gate.may_touch_files():
            return web_service.refused(web_settings.refusal_of(self._app, "charging", ""), 409)
        return web_service.answer(self._shown(), 200)

    def _shown(self):
        path = self._app.connections.issuers_path()
        issuers = []
        is_signed = flash_files.is_there(path)
        if is_signed:
            from firmware.services import signed_commands

            for key in signed_commands.trust_in(path)[0].keys:
                if key[0] not in issuers:
                    issuers.append(key[0])
        return {"is_signed": is_signed, "issuers": issuers}

    async def taken(self, request):
        """Put the keys of a file (docs/mqtt.md) in force; a file that is none changes nothing."""
        if request.content_length > MOST_B:
            return web_service.refused(Refusal("too_big", "", "The file is too long.", None), 413)
        octets = request.body
        while len(octets) < request.content_length:
            octets += await request.stream.readexactly(min(MOST_BODY, request.content_length - len(octets)))
        if not gate.may_touch_files():
            return web_service.refused(web_settings.refusal_of(self._app, "charging", ""), 409)
        made = self._kept(octets)
        if isinstance(made, Refusal):
            return web_service.refused(made, 400)
        self._app.log.put(self._app.now_ms(), Event("security", ("issuers", web_service.place_of(request))))
        return web_service.answer(made, 200)

    def _kept(self, octets):
        """What told() shows from now on, or a Refusal with words."""
        from firmware.wire import signed_command

        path = self._app.connections.issuers_path()
        try:
            trust = signed_command.trust_of(json.loads(octets))
            if trust.keys:
                flash_files.write_whole(path, octets)
            elif not flash_files.is_gone(path):
                raise OSError("it stays")
        except (ValueError, RuntimeError) as error:  # a PC's reader gives up a deep one so
            return Refusal("bad_issuers", "", "These are no keys of a programme: %s." % error, None)
        except OSError as error:
            return Refusal("not_stored", "", "The box could not keep this (%s); nothing was changed." % error, None)
        if self._app.connections.mqtt is not None:
            self._app.connections.mqtt.learn()
        return self._shown()


def add_to(web, app):
    """Add the calls to a WebService."""
    pages = IssuerPages(app)
    web.add([("GET", "/api/issuers", pages.told, False)])
    web.add_stream("/api/issuers", pages.taken)
