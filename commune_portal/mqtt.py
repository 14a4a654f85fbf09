"""Which apps listen to the MQTT broker: one line for each handler, as urls.py lists pages."""

from django.conf import settings

from common.mqtt_handlers import Handler
from common.pumps import Pump
from farm import foreign, home_assistant
from farm import mqtt as farm

# The controllers' contract says where the server says that it is there.
STATUS_TOPIC = farm.SERVER_STATUS
SHOWN = (home_assistant,) if settings.HOME_ASSISTANT_DISCOVERY else ()
HANDLERS: tuple[Handler, ...] = (
    *farm.HANDLERS,
    *foreign.HANDLERS,
    *(handler for shown in SHOWN for handler in shown.HANDLERS),
)
PUMPS: tuple[Pump, ...] = (
    *farm.PUMPS,
    *foreign.PUMPS,
    *(pump for shown in SHOWN for pump in shown.PUMPS),
)
