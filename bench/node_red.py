"""A Node-RED that does the bridge's work: parse a frame, find its channels, insert its rows."""

from pathlib import Path
from typing import Any

SETTINGS = """
const { Pool } = require(%(pg)r);
module.exports = {
  flowFile: 'flows.json', uiPort: 0, uiHost: '127.0.0.1', httpAdminRoot: false,
  httpNodeRoot: false, credentialSecret: false, diagnostics: { enabled: false },
  telemetry: { enabled: false }, logging: { console: { level: 'warn' } },
  functionGlobalContext: {
    pool: new Pool({ connectionString: %(url)r, max: 10 }),
    channels: require(%(channels)r),
  },
};
"""
INSERT = """
const channels = global.get('channels');
const one = { topic: msg.topic, frame: msg.payload };
const frames = Array.isArray(msg.payload) ? msg.payload : [one];
const ids = [], times = [], values = [];
for (const { topic, frame } of frames) {
  const name = topic.split('/')[3];
  const t = new Date(frame.t);
  for (const code in frame.m) {
    const id = channels[name + '/' + code];
    if (id === undefined || frame.m[code] === null) continue;
    ids.push(id); times.push(t); values.push(frame.m[code]);
  }
}
await global.get('pool').query(
  'INSERT INTO peer_reading (channel_id, t, v) SELECT * FROM' +
  ' unnest($1::int[], $2::timestamptz[], $3::real[]) ON CONFLICT DO NOTHING',
  [ids, times, values]);
return null;
"""
PAIR = "msg.payload = { topic: msg.topic, frame: msg.payload }; return msg;"
BREACH = """
for (const code in msg.payload.m) {
  if (msg.payload.m[code] > 40) {
    const now = Date.now();
    node.send({ topic: msg.topic.replace('/tele', '/cmd'), qos: 1, payload: JSON.stringify({
      id: String(now) + code, op: 'run', out: 'fan-' + code, s: 60, t: now, exp: now + 15000 }) });
  }
}
return null;
"""


def settings_file(red: Path, url: str, channels: str) -> str:
    """Write settings.js: no editor, no telemetry, a pool of ten sessions, the channels' numbers."""
    return SETTINGS % {"pg": str(red.parents[1] / "pg"), "url": url, "channels": channels}


def flows(port: int, name: str, *, joined: int, watches: bool) -> list[dict[str, Any]]:
    """Write flows.json: MQTT in, JSON, join of so many messages if more than one, insert.

    With `watches` every frame is also compared with a limit, and a fan is told to run.
    """
    broker = {
        "id": "broker", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1",
        "port": str(port), "clientid": f"bench-{name}", "autoConnect": True, "usetls": False,
        "protocolVersion": "4", "keepalive": "60", "cleansession": False,
    }  # fmt: skip
    listen = {
        "id": "in", "type": "mqtt in", "z": "tab", "topic": "farm/v1/+/+/tele", "qos": "1",
        "datatype": "json", "broker": "broker", "inputs": 0,
        "wires": [["pair" if joined > 1 else "insert", *(["breach"] if watches else [])]],
    }  # fmt: skip
    pair = {"id": "pair", "type": "function", "z": "tab", "func": PAIR, "outputs": 1,
            "wires": [["join"]]}  # fmt: skip
    join = {
        "id": "join", "type": "join", "z": "tab", "mode": "custom", "build": "array",
        "property": "payload", "propertyType": "msg", "key": "topic", "joiner": "",
        "joinerType": "str", "accumulate": False, "timeout": "0.1", "count": str(joined),
        "wires": [["insert"]],
    }  # fmt: skip
    insert = {"id": "insert", "type": "function", "z": "tab", "func": INSERT, "outputs": 1,
              "wires": [[]]}  # fmt: skip
    breach = {"id": "breach", "type": "function", "z": "tab", "func": BREACH, "outputs": 1,
              "wires": [["out"]]}  # fmt: skip
    out = {"id": "out", "type": "mqtt out", "z": "tab", "topic": "", "qos": "1", "retain": "",
           "broker": "broker", "wires": []}  # fmt: skip
    tab = {"id": "tab", "type": "tab", "label": "bench", "disabled": False}
    joiners = [pair, join] if joined > 1 else []
    nodes = [listen, *joiners, insert, *([breach, out] if watches else [])]
    # A node without a place on the sheet is taken for a config node.
    return [tab, broker, *({**node, "x": 100, "y": 100} for node in nodes)]
