"""Web calls of backup and restore; loaded for one call, and dropped."""

from firmware.core.records import Refusal
from firmware.services import web_settings
from firmware.wire import backup


def made(app):
    """Body of GET /api/backup."""
    box = {"box": app.box, "firmware": app.version, "wall_s": app.board.wall_s() or 0}
    return backup.made(app.loop.settings, box)


def restored(app, fields, throttle):
    """Body of the answer to POST /api/backup, whose settings are in force, or a Refusal that changed nothing.

    fields: dict of the request, with the installer's code where the limit is raised; throttle: of that code.
    """
    found = backup.changes(fields, app.loop.settings)
    if isinstance(found, Refusal):
        return web_settings.refusal_of(app, found.code, found.field)
    asked, left_out = found
    if fields.get(web_settings.CODE) is not None:
        asked[web_settings.CODE] = fields[web_settings.CODE]
    chosen = web_settings.changed(app, asked, throttle)
    if isinstance(chosen, Refusal):
        return chosen
    words, todo = app.phrases.phrase("restored.in_part" if left_out else "restored.whole")
    app.tell("restored", ", ".join(left_out))
    return {
        "settings": web_settings.shown(app),
        "left_out": left_out,
        "words": words + ". " + todo if todo else words + ".",
    }
