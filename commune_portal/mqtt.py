"""Which apps listen to the MQTT broker: one line for each handler, as urls.py lists pages."""

from common.mqtt import Handler

HANDLERS: tuple[Handler, ...] = ()
