"""Any bytes on a command topic give a command or a refusal, never an exception."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.records import Command, Refusal
from firmware.wire import grid_contract, mqtt_topics, web_api

CONTEXTS = st.builds(
    grid_contract.Context,
    st.integers(0, 2**40),
    st.none() | st.integers(1, 2**31),
    st.integers(100_000, 250_000),
    st.sampled_from((1, 3)),
    st.integers(0, 9),
    st.booleans(),
)
NAMES = (
    "id kind rev issuer class start_at duration_s limit_ma limit_w issued_at expires_at spread_s resume of note".split()
)
TEXTS = (
    st.sampled_from(("pause", "limit", "resume", "now", "slack", "random:9", "market", "emergency", "a")) | st.text()
)
VALUES = st.integers() | TEXTS | st.none() | st.booleans() | st.floats() | st.lists(st.integers(), max_size=3)
OBJECTS = st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES).map(lambda made: json.dumps(made).encode())
SCOPES = st.sampled_from(("box", "group", "all"))


@settings(max_examples=3000, deadline=None, print_blob=True)
@given(SCOPES, st.binary(max_size=1100) | OBJECTS, st.booleans(), CONTEXTS)
def test_grid(scope, payload, is_retained, context):
    made = grid_contract.parse(grid_contract.Message(scope, payload, is_retained), context)
    if isinstance(made, Refusal):
        assert made.code in grid_contract.REASONS.split()
        return
    command = grid_contract.drawn(made, lambda count: count - 1)
    assert isinstance(command, Command) and command.kind in ("limit", "resume") and 0 <= command.limit_ma <= 80_000
    if command.kind == "limit":
        assert context.now_ms <= command.from_ms < command.until_ms


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=12), st.binary(max_size=40), st.booleans())
def test_house_and_page(name, payload, is_retained):
    assert isinstance(mqtt_topics.house_command(name, payload, (is_retained, 5)), Command | Refusal)
    assert isinstance(web_api.parse(payload, 5), Command | Refusal)
