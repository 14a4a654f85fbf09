"""What each interlock says to the person who meets it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.safety import Interlock

WORDS: dict[Interlock, Promise] = {
    Interlock.ESTOP: _("The house is under an emergency stop."),
    Interlock.NODE_OFFLINE: _("The controller is not connected."),
    Interlock.LEASE_LOST: _("The controller works on its own and takes no commands."),
    Interlock.OUTPUT_LOCKED: _("This output is locked off."),
    Interlock.MANUAL_ONLY: _("This output is switched by hand only."),
    Interlock.DEVICE_INTERLOCK: _("The controller reports a fault at this output."),
    Interlock.TANK_LOW: _("The tank is nearly empty."),
    Interlock.NO_FLOW: _("No water came at the last run."),
    Interlock.FLOW_AFTER_OFF: _("Water flows although everything is off."),
    Interlock.OVER_TEMPERATURE: _("It is too hot."),
    Interlock.STALE_SENSOR: _("The sensor has not said anything for too long."),
    Interlock.DAILY_LITRE_CAP: _("The most litres of the day are used up."),
    Interlock.DAILY_DOSE_CAP: _("The most fertiliser of the day is used up."),
    Interlock.DOSE_UNRESOLVED: _("It is not known what became of the last dose."),
    Interlock.NO_CIRCULATION: _("The water does not circulate."),
    Interlock.MIXING_WAIT: _("The last dose is not mixed yet."),
    Interlock.FACT_UNKNOWN: _("Something that safety needs to know is not known."),
}
