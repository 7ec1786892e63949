"""Flight records on the PC: read, re-run, and made from simulated boxes."""
