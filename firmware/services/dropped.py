"""Code of settings, state and backups, which is loaded when needed: away with it, its memory is the firmware's."""

# pyright: reportAttributeAccessIssue=false
import sys

from firmware import services, wire

NAMES = ("services.settings_copies", "services.state_files", "wire.settings_file", "wire.sealed_text")
MORE = (
    "wire.state_record",
    "wire.state_restored",
    "wire.state_changed",
    "wire.backup",
    "services.web_backup",
    "services.factory_reset",
    "services.history_stream",
    "wire.history",
    "wire.signed_seqs",
    "services.journal_start",
    "services.short_pause",
    "services.cable_settings",
    "services.dropped",
)


def drop():
    """Forget whichever of them are loaded; who still runs in one keeps it to its end."""
    for name in NAMES + MORE:
        if sys.modules.pop("firmware." + name, None) is None:
            continue
        if name == "services.settings_copies":
            del services.settings_copies
        elif name == "services.state_files":
            del services.state_files
        elif name == "wire.settings_file":
            del wire.settings_file
        elif name == "wire.sealed_text":
            del wire.sealed_text
        elif name == "wire.state_record":
            del wire.state_record
        elif name == "wire.state_restored":
            del wire.state_restored
        elif name == "wire.state_changed":
            del wire.state_changed
        elif name == "wire.backup":
            del wire.backup
        elif name == "services.web_backup":
            del services.web_backup
        elif name == "services.factory_reset":
            del services.factory_reset
        elif name == "services.history_stream":
            del services.history_stream
        elif name == "wire.history":
            del wire.history
        elif name == "wire.signed_seqs":
            del wire.signed_seqs
        elif name == "services.journal_start":
            del services.journal_start
        elif name == "services.short_pause":
            del services.short_pause
        elif name == "services.cable_settings":
            del services.cable_settings
        else:
            del services.dropped
