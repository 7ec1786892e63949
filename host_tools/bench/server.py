"""The bench's HTTP interface: the world around the box to read, to change and to break."""

import json
from pathlib import Path

from microdot import Microdot, Request, Response

from host_tools.sim import world
from host_tools.sim.link_server import STALLS

PAGE = Path(__file__).parent / "bench.html"
WAVE_POINTS = 200
WAVE_US = 4000  # four periods of the pilot
MAINS_US = 40_000
JSON_TYPE = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def answer(body, status=200):
    """A JSON response."""
    return Response(json.dumps(body), status, dict(JSON_TYPE))


def bad(field, words):
    """400 in the form that all errors have."""
    return answer({"code": "bad_field", "field": field, "words": words}, 400)


class BenchServer:
    """Microdot app over one demo's plant."""

    def __init__(self, real_time, power, letter_of_state):
        """power: function (is_on); letter_of_state: function () → state name for GET /world, or None."""
        self.real_time = real_time
        self.plant = real_time.plant
        self.power = power
        self.state = letter_of_state
        Request.max_content_length = Request.max_body_length = 16 * 1024
        self.app = Microdot()
        for method, path, call in (
            ("GET", "/", self._page),
            ("GET", "/world", self._world),
            ("POST", "/world", self._change),
            ("GET", "/trace", self._trace),
            ("GET", "/wave", self._wave),
            ("POST", "/power", self._power),
            ("POST", "/clock", self._clock),
            ("POST", "/stall", self._stall),
        ):
            self.app.route(path, methods=[method])(self._checked(call))

    def _checked(self, call):
        """The call with the plant at this instant; a foreign page may not write."""

        async def checked(request):
            origin = request.headers.get("Origin")
            if request.method != "GET" and origin and origin.split("//")[-1] != request.headers.get("Host"):
                return answer({"code": "foreign_page", "field": "Origin", "words": "Not from another page."}, 403)
            self.real_time.settle()
            return call(request)

        return checked

    def _page(self, request):
        return Response(PAGE.read_text(), 200, {"Content-Type": "text/html; charset=utf-8"})

    def shown(self):
        """GET /world."""
        return {**world.shown(self.plant), "state": self.state()}

    def _world(self, request):
        return answer(self.shown())

    def _body(self, request):
        """Parsed JSON body. Errors: ValueError in words."""
        try:
            return json.loads(request.body)
        except ValueError:
            raise ValueError("The body is not JSON.") from None

    def _change(self, request):
        try:
            wanted = self._body(request)
            is_on = wanted.get("mains", {}).pop("is_on", None) if isinstance(wanted.get("mains", {}), dict) else None
            if is_on is not None and not isinstance(is_on, bool):
                raise ValueError("'mains.is_on' must be true or false.")
            world.change(self.plant, wanted)
        except (ValueError, AttributeError) as error:
            return bad("", str(error) if isinstance(error, ValueError) else "The world is a JSON object.")
        if is_on is not None:
            self.power(is_on)
        return answer(self.shown())

    def _trace(self, request):
        text = request.args.get("since_ms", "0")
        if not text.isdigit():
            return bad("since_ms", "since_ms is a whole number.")
        since_ms = int(text)
        edges = [
            {"at_ms": at_ms, "name": name, "value": value}
            for at_ms, name, value in self.plant.edges
            if at_ms >= since_ms
        ]
        return answer({"now_ms": self.plant.now_us // 1000, "edges": edges})

    def _wave(self, request):
        """Pilot voltage over four periods and three currents over two mains cycles, for the page's picture."""
        now_us = self.plant.now_us
        steps = [WAVE_US * step // WAVE_POINTS for step in range(WAVE_POINTS)]
        mains = [MAINS_US * step // WAVE_POINTS for step in range(WAVE_POINTS)]
        return answer(
            {
                "pilot_mv": [round(self.plant.pilot_mv(self.plant.pwm_at_us + at_us)) for at_us in steps],
                "span_us": WAVE_US,
                "currents_ma": [
                    [round(self.plant.current_ma(now_us + at_us, phase)) for at_us in mains] for phase in range(3)
                ],
            }
        )

    def _power(self, request):
        try:
            wanted = self._body(request)
        except ValueError as error:
            return bad("", str(error))
        if not isinstance(wanted, dict) or not isinstance(wanted.get("is_on"), bool) or len(wanted) != 1:
            return bad("is_on", 'Send {"is_on": true} or {"is_on": false}.')
        self.power(wanted["is_on"])
        return answer(self.shown())

    def _clock(self, request):
        try:
            wanted = self._body(request)
        except ValueError as error:
            return bad("", str(error))
        wall_s = wanted.get("wall_s", "") if isinstance(wanted, dict) else ""
        if wall_s is not None and (type(wall_s) is not int or not 0 < wall_s < 2**32):
            return bad("wall_s", "wall_s is epoch seconds or null.")
        self.real_time.set_wall_s(wall_s)
        return answer({"wall_s": self.real_time.wall_s()})

    def _stall(self, request):
        """The firmware's program meets something that keeps it, once, within its next tick."""
        try:
            wanted = self._body(request)
        except ValueError as error:
            return bad("", str(error))
        kinds = [kind for kind, _ in STALLS]
        kind = wanted.get("kind") if isinstance(wanted, dict) else None
        if kind not in kinds or len(wanted) != 1:
            return bad("kind", f"kind is one of {', '.join(kinds)}.")
        self.real_time.stall = 1 + kinds.index(kind)
        return answer({"stands_still_ms": STALLS[kinds.index(kind)][1]})
