"""MQTT 3.1.1 packets as the standard describes them, apart from the code that is tested."""

from common.mqtt_socket import Published


def packet(message: Published, *, is_repeated: bool = False) -> bytes:
    """Write a PUBLISH as MQTT 3.1.1 §3.3 says."""
    topic = message.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    if message.qos:
        body += message.mid.to_bytes(2, "big")
    body += message.payload
    head = 0x30 | 0x08 * is_repeated | message.qos << 1 | message.is_retained
    length, left = b"", len(body)
    while True:
        left, low = divmod(left, 128)
        length += bytes([low | 0x80 * bool(left)])
        if not left:
            return bytes([head]) + length + body
