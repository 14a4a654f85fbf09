"""The tables of the farm, one module per group; Django looks for them here."""

from farm.models.automation import Alarm, AlarmLimit, Decision, Rule, Watch
from farm.models.commands import (
    Command,
    CommandEvent,
    DeviceEvent,
    DeviceRun,
    EmergencyStop,
    NodeConfig,
    StateWord,
)
from farm.models.crops import (
    Batch,
    CostEntry,
    CropProfile,
    CropStage,
    Harvest,
    LabourEntry,
    WaterUse,
)
from farm.models.places import Channel, Greenhouse, LockChange, Node, Output, Zone
from farm.models.readings import (
    BootSequence,
    DirtyHour,
    Flag,
    LatestReading,
    QuarantinedFrame,
    Reading,
    Rollup,
)
from farm.models.tokens import ApiToken

__all__ = [
    "Alarm",
    "AlarmLimit",
    "ApiToken",
    "Batch",
    "BootSequence",
    "Channel",
    "Command",
    "CommandEvent",
    "CostEntry",
    "CropProfile",
    "CropStage",
    "Decision",
    "DeviceEvent",
    "DeviceRun",
    "DirtyHour",
    "EmergencyStop",
    "Flag",
    "Greenhouse",
    "Harvest",
    "LabourEntry",
    "LatestReading",
    "LockChange",
    "Node",
    "NodeConfig",
    "Output",
    "QuarantinedFrame",
    "Reading",
    "Rollup",
    "Rule",
    "StateWord",
    "Watch",
    "WaterUse",
    "Zone",
]
