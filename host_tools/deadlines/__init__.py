"""Each deadline of the fault table, swept over the phases of tick, pilot and mains."""
