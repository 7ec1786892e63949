"""Web calls of backup and restore; loaded for one call, and dropped."""

from firmware.core.records import Event, Refusal
from firmware.services import web_settings
from firmware.wire import backup


def made(app, place):
    """Body of GET /api/backup. place: address of who asks."""
    app.log.put(app.now_ms(), Event("backup", ("made", place)))
    box = {"box": app.box, "firmware": app.version, "wall_s": app.board.wall_s() or 0}
    return backup.made(app.loop.settings, box)


def restored(app, fields, throttle, place):
    """Body of the answer to POST /api/backup, whose settings are in force, or a Refusal that changed nothing.

    fields: dict of the request, with the installer's code where the limit is raised; throttle: of that code;
    place: address of who sends it.
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
    app.log.put(app.now_ms(), Event("backup", ("restored", place, len(left_out))))
    return {
        "settings": web_settings.shown(app),
        "left_out": left_out,
        "words": words + ". " + todo if todo else words + ".",
    }
