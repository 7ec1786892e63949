"""Tools for a real board: build, flash, provision, watch, doctor, calibrate, test, backup."""
