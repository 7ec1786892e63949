"""What the last start left behind: what files have, then what the journal knows better; loaded once, and dropped."""

from firmware.services import factory_reset, ledger_replay, ledger_start
from firmware.wire import journal_record

FED_EVERY = 100  # values


def read(stores, place, journal, fed):
    """(Settings, code of what was wrong with them, Replay of the ledger); the two stores take what is theirs.

    stores: (SettingsStore, StateStore); place: (folder that ends in "/", days of history); journal: Journal;
    fed: feeds the watchdog, as a long night with a car has some thousand values.
    """
    store, state, last_time = stores
    folder, history_days = place
    if factory_reset.is_begun(folder):
        factory_reset.forget(journal)
    chosen, code = store.load()
    fed()
    state.find()
    replay = ledger_replay.Replay(ledger_start.found(folder, history_days))
    fed()
    count = 0
    try:
        for kind, octets in journal.values():
            count += 1
            if count % FED_EVERY == 0:
                fed()
            if kind in ledger_replay.KINDS:
                replay.take(kind, octets)
            elif kind == journal_record.STATE:
                state.take(octets)
            elif kind == journal_record.TIME:
                last_time.take(octets)
            elif kind == journal_record.SETTINGS:
                chosen = store.take(octets, chosen)
    except OSError:
        pass  # what could be read counts; whether more can be written is told once something is put
    return chosen, code, replay
