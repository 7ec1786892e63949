"""Task `demo`: the virtual wallbox in real time, until Ctrl-C."""

import argparse
import asyncio
import json
import os
import signal
import sys

from host_tools import bootstrap, chip
from host_tools.bench.ports import CannotStart
from host_tools.bench.virtual_box import Demo
from host_tools.sim.car import CHARACTERS


def parser():
    """Options of bench.md."""
    made = argparse.ArgumentParser(prog="python3 -m host_tools demo", description=__doc__)
    made.add_argument("--web", type=int, default=8080, metavar="PORT", help="owner's page (0: any free port)")
    made.add_argument("--bench", type=int, default=8081, metavar="PORT", help="page to play the car")
    made.add_argument("--mqtt", type=int, default=1883, metavar="PORT", help="port of the embedded broker")
    made.add_argument("--broker", metavar="HOST:PORT", help="use this broker instead of the embedded one")
    made.add_argument("--broker-name", metavar="NAME", help="the box knows its broker by this name (for dns_dead)")
    made.add_argument("--runtime", choices=("micropython", "cpython"), help="default: MicroPython where it can be had")
    made.add_argument("--speed", type=int, default=1, metavar="N", help="simulated seconds a second")
    made.add_argument("--wall-clock", action="store_true", help="time goes on while the PC is busy elsewhere")
    made.add_argument("--data", metavar="DIR", help="the device's flash (default: .cache/demo)")
    made.add_argument("--box", default="garage", metavar="ID", help="name of the box")
    made.add_argument("--board", default="reference", metavar="NAME", help="a file of hardware/boards")
    made.add_argument("--car", default="polite", metavar="CHARACTER", help=" ".join(CHARACTERS))
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--heap", default="1m", help="heap of the MicroPython interpreter, as 256k")
    made.add_argument("--no-page", action="store_true", help="leave the owner's page out, as on a small board")
    made.add_argument("--keys", metavar="DIR", help="signed mode, with the keys of `grid keys` in this folder")
    made.add_argument("--serial", action="store_true", help="the firmware on a virtual chip with a serial port to open")
    made.add_argument("--frozen", action="store_true", help="with --serial: its modules frozen, as in an own image")
    made.add_argument("--no-browser", action="store_true", help="do not open a browser")
    made.add_argument("--json", action="store_true", help="say what is ready as one line of JSON")
    return made


def told(demo):
    """What a person reads when everything is up."""
    ready = demo.ready()
    what = ready["runtime"]
    if what == "micropython":
        what = chip.described(chip.interpreter())
    port = ready["mqtt"].rpartition(":")[2]
    serial = ""
    if "serial" in ready:
        where = ready["serial"]
        serial = (
            f"  serial port     {where}   mpremote connect port:{where} resume, host_tools device … --port {where}\n\n"
        )
    if ready["is_signed"]:
        serial += "  It believes signed commands alone: docs/mqtt.md tells how to sign one; plain ones are refused.\n\n"
    return f"""
ebb: a virtual wallbox is running (firmware on {what}).

  play the car    {ready["bench"]}
  owner's page    {ready["web"]}   password {ready["owner_password"]}, installer's code {ready["installer_code"]}
  be the grid     mosquitto_pub -q 1 -p {port} -t ebb/1/box/{ready["box"]}/cmd -m pause
                  mosquitto_pub -q 1 -p {port} -t ebb/1/box/{ready["box"]}/cmd -m resume
                  mosquitto_sub -p {port} -t 'ebb/1/#' -v

{serial}Plug the car in on the bench page, then send the pause. Ctrl-C ends everything.
"""


async def serve(options):
    """Run one demo until a signal."""
    demo = Demo(options)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await demo.start()
        print(json.dumps(demo.ready()) if options.json else told(demo), flush=True)
        if not options.no_browser and not options.json and os.environ.get("DISPLAY"):
            import webbrowser

            webbrowser.open(demo.ready()["bench"])
        await stop.wait()
    finally:
        await demo.stop()


def run(argv):
    """Run the task; exit 2 with one clear line when it cannot start."""
    options = parser().parse_args(argv)
    sys.path.insert(0, str(bootstrap.ROOT))
    from host_tools.sim import fake_machine

    sys.modules.setdefault("machine", fake_machine)
    try:
        asyncio.run(serve(options))
    except (CannotStart, chip.NoChip, ValueError) as error:
        print(f"ebb: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0
