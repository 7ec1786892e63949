"""Settings as the owner's page sees and changes them; loaded with the page only."""

from firmware.core import settings
from firmware.core.records import Event, Refusal
from firmware.services.flash_gate import BUSY
from firmware.wire import secret

CODE = "installer_code"  # beside the changes; not a setting itself
A_PART = 8  # settings made in one turn of the loop
PRESS_MS = 600_000  # requirements §2, installation limit: the box's own button within 10 minutes


def shown(app):
    """All settings but the secrets, as a dict."""
    return shown_of(app.loop.settings, 0, len(settings.SETTINGS))


def shown_of(chosen, begin, count):
    """So many of some Settings from number `begin` on."""
    made = {}
    for index in range(begin, min(begin + count, len(settings.SETTINGS))):
        row = settings.SETTINGS[index]
        made[row[0]] = "" if row[8] else chosen[index]
    return made


def parts(app):
    """Functions () -> dict that together show all settings, a few in each."""
    chosen = app.loop.settings  # of one moment, whatever is changed between two turns
    yield from [
        lambda begin=begin: shown_of(chosen, begin, A_PART) for begin in range(0, len(settings.SETTINGS), A_PART)
    ]


def pressed_for_ms(app):
    """How long ago the box's own button was last pressed short, in ms; None when it never was."""
    at_ms = app.loop.memory.local.pressed_at_ms
    return None if at_ms is None else app.now_ms() - at_ms


def installers(before, made):
    """Key of the first change that is the installer's (requirements §2, installation limit), or ""."""
    for index in range(len(settings.SETTINGS)):
        row = settings.SETTINGS[index]
        if row[6] != "installer" or made[index] == before[index]:
            continue
        # Lowering the limit needs neither code nor button.
        if row[0] != "wiring_limit_ma" or made[index] > before[index]:
            return row[0]
    return ""


def refused_code(app, code, throttle):
    """Code of a refusal.… in words_en.txt why an installer's change may not be made now, or ""."""
    if type(code) is not str or not code:
        return "code"
    pressed_ms = pressed_for_ms(app)
    # First the button: without somebody at the box no code is looked at, so nothing can be guessed from afar.
    if pressed_ms is None or pressed_ms > PRESS_MS:
        return "button"
    if throttle.must_wait(app.now_ms()):
        return "wait"
    if not secret.is_right(code, app.config.get(CODE)):
        throttle.wrong(app.now_ms())
        app.log.put(app.now_ms(), Event("security", ("wrong_code",)))
        return "code"
    throttle.right()
    return ""


def refusal_of(app, code, key):
    """Refusal of a code of refusal.… in words_en.txt."""
    words, todo = app.phrases.phrase("refusal." + code)
    return Refusal(code, key, words + ". " + todo, None)


def changed(app, changes, throttle):
    """Settings with the changes, stored and in force from the next tick, or a Refusal.

    changes: dict key → value, with the installer's code as "installer_code" where one is needed; throttle: Throttle of
    that code.
    """
    changes = dict(changes)
    code = changes.pop(CODE, None)
    for key in changes:
        if key.startswith("wifi_"):
            return refusal_of(app, "not_allowed", key)
    made = settings.changed(app.loop.settings, changes)
    if isinstance(made, Refusal):
        return made
    if settings.fitted(made, app.board.facts.phases) is not made:
        return refusal_of(app, "phases", "phases")
    key = installers(app.loop.settings, made)
    refusal = refused_code(app, code, throttle) if key else ""
    if refusal:
        return refusal_of(app, refusal, key if refusal == "button" else CODE)
    try:
        app.store.save(made)
    except OSError as error:  # a full or broken flash: what was in force stays in force
        if error.args and error.args[0] == BUSY:
            return refusal_of(app, "charging", "")
        return Refusal("not_stored", "", "The box could not keep this (%s); nothing was changed." % error, None)
    app.loop.settings = made
    if key:
        app.tell("installation", key)
    return made
