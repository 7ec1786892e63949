"""Hostile waveforms at the port of the wallbox, and a judge that knows only the wire."""
