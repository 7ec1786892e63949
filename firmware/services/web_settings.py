"""Settings as the owner's page sees and changes them; loaded with the page only."""

from firmware.core import settings
from firmware.core.records import Refusal


def shown(app):
    """All settings but the secrets, as a dict."""
    made = {}
    for index in range(len(settings.SETTINGS)):
        row = settings.SETTINGS[index]
        made[row[0]] = "" if row[8] else app.loop.settings[index]
    return made


def changed(app, changes):
    """Settings with the changes, stored and in force from the next tick, or a Refusal."""
    for row in settings.SETTINGS:
        if row[0] in changes and row[6] == "installer":
            # Raising needs the installer's code and the button (requirements §2); that way in does not exist yet.
            return Refusal("not_allowed", row[0], "Only the installer may change this.", None)
        if row[0] in changes and row[0].startswith("wifi_"):
            return Refusal("not_allowed", row[0], "Wi-Fi is tried before it is kept: use its own call.", None)
    made = settings.changed(app.loop.settings, changes)
    if isinstance(made, Refusal):
        return made
    try:
        app.store.save(made)
    except OSError as error:  # a full or broken flash: what was in force stays in force
        return Refusal("not_stored", "", "The box could not keep this (%s); nothing was changed." % error, None)
    app.loop.settings = made
    return made
