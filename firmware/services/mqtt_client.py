"""The box's own MQTT client: one persistent session that always comes back and never blocks the tick."""

import asyncio
from collections import namedtuple

from firmware.services import mqtt_link
from firmware.services.mqtt_outbox import Message, MqttOutbox
from firmware.services.stream_end import closed
from firmware.wire import mqtt_packets

# will: (topic, payload) or None; login: (user, password) or None; ca_der: authority of the broker, b"" for no TLS.
MqttConfig = namedtuple(
    "MqttConfig", ("host", "port", "client_id", "login", "keepalive_s", "will", "ca_der", "max_packet", "backoff_max_s")
)

# code: a row mqtt.… of words_en.txt; detail: the topic or system error it is about, "" for none.
Status = namedtuple("Status", ("is_connected", "code", "detail", "failures", "dropped", "has_session"))

ANSWER_MS = 10_000  # for CONNACK and for the rest of a packet that has begun
STABLE_MS = 10_000  # a connection that lasted this long was a good one: back-off starts anew
PUMP_S = 0.02
WATCH_S = 0.1
CHUNK = 512
SUSPECT_MS = 1000


class ClosedByBroker(Exception):
    """The connection ended from the other side."""


class MqttClient:
    """run() for ever; publish() only puts away. on_message(topic, payload, is_retained) must take the message:
    the broker is told so after it returns.
    """

    def __init__(self, config, on_message, topics, tools):
        """tools: (now_ms, random_below, address_of coroutine function, TlsGate or None)."""
        self._config = config
        self._on_message = on_message
        self._topics = topics
        self._now_ms, self._random_below, self._address_of, self._gate = tools
        self._outbox = MqttOutbox()
        self._buffer = bytearray(config.max_packet + 5)
        self._count = 0
        self._acks = []
        self._is_connected = False
        self._has_session = False
        self._code = "starting"
        self._detail = ""
        self._failures = 0
        self._suspected = ""
        self._wrote_topic = ""
        self._wrote_ms = 0
        self._heard_ms = 0
        self._begun_ms = 0
        self._up_ms = None
        self._is_hurried = self._is_dropped = False

    def hurry(self):
        """What kept the broker away may be over: a wait that runs ends within a second."""
        self._is_hurried = True

    def drop(self):
        """The connection that stands ends within a second, as by a broker that fell silent."""
        self._is_dropped = True

    def publish(self, topic, payload, qos, is_retained):
        """Put a message away to be sent; False when there is no room for it."""
        return self._outbox.put(Message(topic, payload, qos, is_retained))

    def status(self):
        """How the connection stands."""
        told = (self._is_connected, self._code, self._detail)
        return Status(*told, self._failures, self._outbox.dropped, self._has_session)

    def _note(self, code, detail):
        self._code, self._detail = code, detail

    async def run(self):
        """Connect, serve, and after any trouble connect again, waiting longer each time with jitter."""
        step = 0
        while True:
            self._up_ms = None
            try:
                await self._session()
            except mqtt_packets.MqttError as error:
                self._note(error.code, "")
            except asyncio.TimeoutError:
                self._note("late", "")
            except (OSError, EOFError, ValueError) as error:
                self._note("network", str(error) or type(error).__name__)
                if self._is_connected:
                    self._suspect()
            except ClosedByBroker:
                self._note("closed", "")
                self._suspect()
            is_stable = self._ended()
            step = 0 if is_stable else min(step + 1, 12)
            most_ms = min(self._config.backoff_max_s * 1000, 500 << step)
            await self._rest(most_ms // 2 + self._random_below(most_ms // 2 + 1))

    async def _rest(self, wait_ms):
        """Wait before the next try, a second at a time."""
        self._is_hurried = False
        while wait_ms > 0 and not self._is_hurried:
            await asyncio.sleep(min(wait_ms, 1000) / 1000)
            wait_ms -= 1000

    def _ended(self):
        """Note the end of a connection; whether it had been a good one."""
        self._is_connected = False
        self._failures += 1
        if self._up_ms is None:
            return False
        if self._now_ms() - self._up_ms >= STABLE_MS:
            return True
        self._outbox.lost_young()
        return False

    def _suspect(self):
        """A broker that forbids a QoS 1 message closes the connection: say which message it may have been."""
        # mosquitto acknowledges the forbidden message and then closes, so the last one written counts too.
        is_fresh = self._now_ms() - self._wrote_ms < SUSPECT_MS
        self._suspected = self._wrote_topic if is_fresh or self._outbox.flying else ""
        if self._suspected:
            self._note("denied", self._suspected)
            self._up_ms = None  # not a good connection: the next one waits longer

    async def _session(self):
        """One connection from CONNECT to its end; leaves by an exception."""
        config = self._config
        reader, writer = await mqtt_link.opened(config, self._address_of, self._gate)
        tasks = ()
        try:
            self._count = 0
            self._is_dropped = False
            self._acks = []
            self._heard_ms = self._begun_ms = self._now_ms()
            writer.write(mqtt_packets.connect(config.client_id, config.login, config.keepalive_s, config.will))
            await asyncio.wait_for(writer.drain(), ANSWER_MS // 1000)
            tasks = (asyncio.create_task(self._read(reader)), asyncio.create_task(self._pump(writer)))
            while True:
                for task in tasks:
                    if task.done():
                        await task
                        raise EOFError("closed")
                self._watch()
                await asyncio.sleep(WATCH_S)
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                try:
                    await task
                except (Exception, asyncio.CancelledError):
                    pass  # why the connection ended is known by now
            await closed(writer)

    def _watch(self):
        """Deadlines: silence of 1.5 keep-alives, no CONNACK, a packet that never ends. Errors: MqttError."""
        now_ms = self._now_ms()
        if self._is_dropped or now_ms - self._heard_ms > self._config.keepalive_s * 1500:
            raise mqtt_packets.MqttError("silent")
        if (self._count or not self._is_connected) and now_ms - self._begun_ms > ANSWER_MS:
            raise mqtt_packets.MqttError("slow")

    async def _pump(self, writer):
        """The only writer: acknowledgements first, then what waits, and a ping when it is quiet."""
        pinged_ms = self._now_ms()
        is_greeted = False
        while True:
            if self._is_connected:
                if not is_greeted:
                    is_greeted = True
                    writer.write(mqtt_packets.subscribe(0xFFFF, self._topics))
                    for message in self._outbox.resend():
                        self._write(writer, message, True)
                while self._acks:
                    writer.write(mqtt_packets.puback(self._acks.pop(0)))
                message = self._outbox.next()
                while message is not None:
                    self._write(writer, message, False)
                    await writer.drain()
                    message = self._outbox.next()
                now_ms = self._now_ms()
                if now_ms - max(pinged_ms, self._heard_ms) > self._config.keepalive_s * 500:
                    pinged_ms = now_ms
                    writer.write(mqtt_packets.PINGREQ_BYTES)
                await writer.drain()
            await asyncio.sleep(PUMP_S)

    def _write(self, writer, message, is_dup):
        """Write one message."""
        if message.qos:
            self._wrote_topic, self._wrote_ms = message.topic, self._now_ms()
        marks = (message.is_retained, is_dup)
        writer.write(mqtt_packets.publish(message.topic, message.payload, message.packet_id, marks))

    async def _read(self, reader):
        """Take bytes into the one buffer and every whole packet out of it."""
        buffer = self._buffer
        while True:
            chunk = await reader.read(min(CHUNK, len(buffer) - self._count))
            if not chunk:
                raise ClosedByBroker()
            if not self._count:
                self._begun_ms = self._now_ms()
            buffer[self._count : self._count + len(chunk)] = chunk
            self._count += len(chunk)
            self._heard_ms = self._now_ms()
            start = 0
            while True:
                view = memoryview(buffer)[start : self._count]
                found = mqtt_packets.header(view, len(view), self._config.max_packet)
                if found is None or sum(found) > len(view):
                    break
                self._packet(view[0], view[found[0] : sum(found)])
                start += sum(found)
            if start:
                left = self._count - start
                buffer[:left] = buffer[start : self._count]
                self._count = left
                self._begun_ms = self._now_ms()

    def _packet(self, first, body):
        """One whole packet from the broker. Errors: MqttError."""
        kind = first >> 4
        if not self._is_connected:
            self._greeted(kind, body)
        elif kind == mqtt_packets.PUBLISH:
            topic, payload, packet_id, is_retained, _ = mqtt_packets.opened_publish(first, body)
            self._on_message(topic, payload, is_retained)
            if packet_id:
                self._acks.append(packet_id)
        elif kind == mqtt_packets.PUBACK:
            self._outbox.taken(mqtt_packets.opened_id(body))
        elif kind == mqtt_packets.SUBACK and not mqtt_packets.is_subscribed(body):
            self._note("not_subscribed", "")
        elif kind == mqtt_packets.CONNACK:
            raise mqtt_packets.MqttError("bad_connack")

    def _greeted(self, kind, body):
        """The first packet must be a good CONNACK. Errors: MqttError."""
        if kind != mqtt_packets.CONNACK:
            raise mqtt_packets.MqttError("bad_connack")
        has_session, code = mqtt_packets.opened_connack(body)
        if code:
            raise mqtt_packets.MqttError("refused%d" % code)
        self._has_session = has_session
        self._is_connected = True
        self._note("after_denied" if self._suspected else "connected", self._suspected)
        self._up_ms = self._now_ms()
