"""The grid's end of the box: commands in through one parser, acknowledgements, state and scalars out."""

import asyncio
import json

from firmware.core.records import Ref, Refusal
from firmware.services.mqtt_client import MqttClient
from firmware.wire import acknowledgement, grid_contract, mqtt_topics

STATE_EVERY_MS = 60_000  # whole state at least this often (grid-contract.md, topics), jittered
STATE_JITTER_MS = 5000
VALUES_EVERY_MS = 1000
POLL_S = 0.05
# Events after which the retained state says something else (grid-contract.md, state: on change).
CHANGES = ("state", "fault", "fault_gone", "grid", "command", "charge_now")
TOLD = ("received", "duplicate", "replayed", "refused", "grid")  # events that a sender hears of
MOST_WAITING = 32  # events not yet told; a tick never waits for the network


class MqttService:
    """Between the broker and the inbox; decides nothing."""

    def __init__(self, config, app):
        """config: MqttConfig; app: the App, of which only public names are used."""
        self._app = app
        self._box = app.box
        topics = mqtt_topics.subscriptions(app.box, app.settings().groups)
        tools = (app.now_ms, app.random_below, app.connections.address_of, app.connections.tls_gate(config.ca_der))
        self.client = MqttClient(config, self._take, topics, tools)
        self._waiting = []
        self._told = {}
        self._words = grid_contract.last_word(app.loop.memory.seen)
        self.learn()
        self._next_state_ms = 0
        self._next_values_ms = 0
        self._was_connected = False
        self.refused = 0

    def learn(self):
        """Signed or plain mode, as the keys on flash say."""
        self._signed = self._app.connections.signed_commands(self._ended)

    def events(self, now_events):
        """Keep what the grid must hear about; called inside the tick, so it only puts away."""
        for event in now_events:
            if event.code in CHANGES:
                self._next_state_ms = 0
            elif event.code == "letter":
                # At most once a second: a loose plug shows many letters.
                self._next_state_ms = min(self._next_state_ms, self._next_values_ms)
            if event.code in TOLD and len(self._waiting) < MOST_WAITING:
                self._waiting.append(event)

    def _take(self, topic, payload, is_retained):
        """One message from the broker: a Command to the inbox, or a refusal told to the sender."""
        scope, name = mqtt_topics.parsed(topic, self._box)
        now_ms = self._app.now_ms()
        if scope == "set" and name == "update":
            code = self._app.connections.update_announced(payload, is_retained)
            if code:
                self._ack(Ref("house", name, 0), code)
            return
        if scope == "set":
            made = mqtt_topics.house_command(name, payload, (is_retained, now_ms))
        elif scope in ("box", "group", "all"):
            self._words += 1
            message = grid_contract.Message(scope, payload, is_retained)
            if self._signed is not None:
                self._signed.take(message, name, self._app.context(self._words))
                return
            made = self._parsed(message)
        else:
            return
        self._ended(made, scope)

    def _ended(self, made, scope):
        """A Command goes to the inbox, a Refusal back to the sender."""
        if isinstance(made, Refusal):
            self._refuse(made, scope)
            return
        given_way = self._app.submit(made)
        if given_way is not None and given_way.source == "grid":
            self._ack(given_way.ref, "busy")

    def _parsed(self, message):
        """Command or Refusal for one message on a cmd topic; random delays are drawn here, outside the pure parser."""
        made = grid_contract.parse(message, self._app.context(self._words))
        return made if isinstance(made, Refusal) else grid_contract.drawn(made, self._app.random_below)

    def _refuse(self, refusal, scope):
        """Count a refusal, and tell the sender of a grid command why."""
        self.refused += 1
        if scope != "set":
            self._ack(refusal.ref, refusal.code)

    def _ack(self, ref, reason):
        """Tell a sender that its command was refused; a bare word that was ignored has nobody to tell."""
        if ref is not None:
            self.publish_ack(acknowledgement.refused(ref, reason, self._app.moment()))

    def publish_ack(self, body):
        """Send the bytes of one acknowledgement."""
        self.client.publish(mqtt_topics.built(self._box, "ack"), body, 1, False)

    async def run(self):
        """Serve the broker for ever."""
        client = asyncio.create_task(self.client.run())
        try:
            while not client.done():
                self._tell()
                await asyncio.sleep(POLL_S)
        finally:
            client.cancel()
        await client

    def _tell(self):
        """Send what is waiting: acknowledgements first, then state, then changed scalars."""
        is_connected = self.client.status().is_connected
        if is_connected and not self._was_connected:
            self.client.publish(mqtt_topics.built(self._box, "online"), b"1", 1, True)
            self._told = {}
            self._next_state_ms = self._next_values_ms = 0
        self._was_connected = is_connected
        while self._waiting:
            event = self._waiting.pop(0)
            body = acknowledgement.of_event(event, self._app.moment())
            if body is not None:
                self.publish_ack(body)
        if not is_connected:
            return
        now_ms = self._app.now_ms()
        if now_ms >= self._next_values_ms or now_ms >= self._next_state_ms:
            self._tell_state(now_ms)

    def _tell_state(self, now_ms):
        """State when due, and each scalar whose text changed."""
        status = self._app.status(False)
        if now_ms >= self._next_state_ms:
            self._next_state_ms = now_ms + STATE_EVERY_MS - self._app.random_below(STATE_JITTER_MS)
            self.client.publish(mqtt_topics.built(self._box, "state"), json.dumps(status).encode(), 1, True)
        self._next_values_ms = now_ms + VALUES_EVERY_MS
        for name, text in mqtt_topics.values(status):
            if self._told.get(name) != text:
                self._told[name] = text
                self.client.publish(mqtt_topics.value_topic(self._box, name), text.encode(), 0, True)
