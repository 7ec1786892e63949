"""What the oracle grants the sensor is granted both ways: neither a must nor a trip."""

from types import SimpleNamespace

import pytest

from host_tools.sim.oracle.currents import Currents
from host_tools.sim.plant import Plant


@pytest.mark.parametrize(
    ("drawn_ma", "may_stop", "must_stop"),
    ((15_800, False, False), (15_960, True, False), (16_300, True, True)),
    ids=("below", "within what the sensor may err by", "above"),
)
def test_at_the_edge_of_s12a(drawn_ma, may_stop, must_stop):
    """Of 13,980 mA signalled: 1.1 times and 0.5 A are 15,878 mA; the soak met 15,960 mA after 3,878 hours."""
    faults = dict.fromkeys(Plant(1, 3, "polite").faults, False)
    plant = SimpleNamespace(
        is_coil_on=True,
        coil_at_us=-(10**9),
        pilot_mode="pwm",
        duty_permille=233,
        currents_ma=(drawn_ma,) * 3,
        faults=faults,
    )
    currents = Currents(32_000)
    currents.changed(plant)
    for now_ms in range(0, 10_000, 23):
        currents.watch(plant, now_ms, 0)
    assert currents.is_wrong(now_ms) is may_stop
    assert bool(currents.over_ms) is must_stop
