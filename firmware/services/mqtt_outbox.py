"""Messages on their way to the broker: bounded, newest state wins, acknowledgements are kept until taken."""

MOST_WAITING = 32
WINDOW = 8  # QoS 1 messages on the wire at once


class Message:
    """One outgoing message; packet_id 0 until it is on the wire with QoS 1."""

    def __init__(self, topic, payload, qos, is_retained):
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.is_retained = is_retained
        self.packet_id = 0


class MqttOutbox:
    """What waits, what is on the wire, and which message the broker seems to forbid."""

    def __init__(self):
        self.waiting = []
        self.flying = []
        self.dropped = 0
        self.strikes = 0
        self._last_id = 0

    def put(self, message):
        """Whether the message was taken. A retained one replaces an older one of its topic; when full, the oldest
        retained one gives way, and only then is a message refused.
        """
        if message.is_retained:
            for index in range(len(self.waiting)):
                if self.waiting[index].topic == message.topic:
                    self.waiting[index] = message
                    return True
        if len(self.waiting) >= MOST_WAITING and not self._made_room():
            self.dropped += 1
            return False
        self.waiting.append(message)
        return True

    def _made_room(self):
        """Drop the oldest retained message, which the next state replaces anyway."""
        for index in range(len(self.waiting)):
            if self.waiting[index].is_retained:
                self.waiting.pop(index)
                self.dropped += 1
                return True
        return False

    def next(self):
        """The next message to write, with its packet id set, or None while nothing may go."""
        for index in range(len(self.waiting)):
            message = self.waiting[index]
            if not message.qos:
                return self.waiting.pop(index)
            if len(self.flying) < (1 if self.strikes else WINDOW):
                self.waiting.pop(index)
                self._last_id = self._last_id % 0xFFFF + 1
                message.packet_id = self._last_id
                self.flying.append(message)
                return message
        return None

    def taken(self, packet_id):
        """The broker acknowledged this packet id."""
        for index in range(len(self.flying)):
            if self.flying[index].packet_id == packet_id:
                self.flying.pop(index)
                self.strikes = 0
                return

    def resend(self):
        """Messages to write again after a reconnect; after a strike one at a time, so that the culprit is found."""
        if self.strikes:
            self.waiting = self.flying[1:] + self.waiting
            self.flying = self.flying[:1]
        return tuple(self.flying)

    def lost_young(self):
        """A young connection broke with messages on the wire: topic of the message given up for it, or None.

        A broker that forbids a QoS 1 message closes the connection; sent again, it would close every one.
        """
        if not self.flying:
            return None
        self.strikes += 1
        if self.strikes < 3:
            return None
        self.strikes = 1
        self.dropped += 1
        return self.flying.pop(0).topic
