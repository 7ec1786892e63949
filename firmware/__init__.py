"""Firmware of the ebb wallbox: core decides, drivers touch pins, services talk, app ties them together."""
