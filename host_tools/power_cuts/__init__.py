"""The supply fails at and inside every flash operation of a real littlefs: what was stored is there, whole."""
