"""The demo's own MQTT broker: mosquitto where there is one, else a wheel's; on this machine only.

python scripts/broker.py PORT     runs the wheel's broker (iotcore) until it is killed
"""

import importlib
import importlib.util
import logging
import os
import socket
import sys
from pathlib import Path

from bootstrap import find_mosquitto

ADDRESS = "127.0.0.1"
# A node that was away sends up to 32 KB at once; iotcore would take 20.
MOST_BYTES = 65_536
CONFIG = """\
listener {port} {address}
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 10000
max_inflight_messages 1000
log_dest stderr
log_type warning
log_type error
"""


def free_port() -> int:
    """Pick a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def command(var: Path, port: int) -> "list[str] | None":
    """Give the command that runs a broker on the port; None where there is none to run."""
    mosquitto = find_mosquitto()
    if mosquitto:
        return [mosquitto, "-c", str(write_config(var / "broker", port))]
    if importlib.util.find_spec("iotcore"):
        return [sys.executable, str(Path(__file__).resolve()), str(port)]
    return None


def write_config(folder: Path, port: int) -> Path:
    """Write mosquitto's config: its memory beside it, so that nothing is lost by a restart."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    text = CONFIG.format(port=port, address=ADDRESS, folder=folder)
    if os.geteuid() == 0:  # it would become another user, who may not write to our folder
        text += "user root\n"
    config.write_text(text, encoding="utf-8")
    return config


def main() -> None:
    """Run the wheel's broker in this process; a signal ends it at once."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # it calls every packet an error
    # By name: the package is only installed where mosquitto is not.
    iotcore = importlib.import_module("iotcore")
    broker = iotcore.Broker(listen=ADDRESS, port=int(sys.argv[1]), max_payload_size=MOST_BYTES)
    broker.run_forever()


if __name__ == "__main__":
    main()
