"""The harness around the firmware: simulation, bench, tests, figures and tools for boards."""
