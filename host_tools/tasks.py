"""The table of tasks: name, module, one line of help."""

import importlib
import sys

TASKS = (
    ("demo", "host_tools.demo", "the main job: firmware, plant, broker and pages in real time, until Ctrl-C"),
    ("test", "host_tools.test_task", "everything that must pass, installing what it needs"),
    ("check", "host_tools.check_task", "format, lint, types, house rules and unit tests: under 30 s"),
    ("scenario", "host_tools.scenario_task", "run scenario text in simulated time"),
    ("device", "host_tools.device.task", "for a real board: build; --help lists all commands"),
    ("grid", "host_tools.grid.task", "the operator's side: keys for signed commands"),
    ("setup", "host_tools.setup_task", "only the installation; --chip adds the real MicroPython"),
    ("replay", "host_tools.replay", "a flight record through decide() once more: the first tick that differs"),
    ("docs", "host_tools.docs_task", "write the references from the tables; --check compares only"),
    ("budgets", "host_tools.budgets", "figures of time, memory and measuring, one a line"),
    (
        "chip-frozen",
        "host_tools.frozen_task",
        "MicroPython made with the firmware frozen into it, and the memory it takes",
    ),
    ("latency", "host_tools.latency", "from PUBLISH to the pilot edge, and every deadline of the fault table"),
    ("soak", "host_tools.soak_task", "thousands of calendar hours of one box, or of a dead network"),
    ("sessions", "host_tools.sessions", "charging sessions of the whole firmware on a timed flash: lapses, lateness"),
    ("start", "host_tools.start", "from power-on to the page, part by part, by the chip file"),
    ("hostile", "host_tools.hostile_port", "random and adversarial waveforms at the port, judged by the wire alone"),
    (
        "power_cuts",
        "host_tools.power_cuts.task",
        "the supply fails at and inside flash operations; energy over cuts; wear",
    ),
    ("faults", "host_tools.faults.task", "every fault in every state, in pairs and at random, under the oracle"),
    ("rejoin", "host_tools.rejoin", "random routers: how soon the box is back on the Wi-Fi"),
    ("updates", "host_tools.updates.task", "tampered updates by the hundred thousand: none may be taken"),
    ("fuzz", "host_tools.fuzz.task", "broken inputs for every parser that meets bytes from outside"),
    ("mutate", "host_tools.mutate", "mutation score of the core"),
)


def run(argv):
    """Run one task; returns its exit code (0 only on success)."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python3 -m host_tools <task> [options]\n")
        for name, _, words in TASKS:
            print(f"  {name:<10} {words}")
        print("\n--help after a task tells its options.")
        return 0 if argv else 2
    for name, module, _ in TASKS:
        if name == argv[0]:
            return importlib.import_module(module).run(argv[1:])
    print(f"ebb: there is no task '{argv[0]}'; 'python3 -m host_tools --help' lists them.", file=sys.stderr)
    return 2
