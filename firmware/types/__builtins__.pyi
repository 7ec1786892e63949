"""Names for quoted annotations of the firmware: the checker knows them everywhere, the chip never looks them up.

A record that lies beside its users (settings.Settings, interlock.Guard, …) has its fields here, under its name and
"Record". tests/house_rules/test_stubs.py holds the fields equal; test_types.py keeps these names out of running code.
"""

from collections.abc import Callable as Callable
from collections.abc import Iterable as Iterable
from collections.abc import Iterator as Iterator
from typing import Any as Any
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from firmware.core.records import Active as Active
from firmware.core.records import Claim as Claim
from firmware.core.records import Claims as Claims
from firmware.core.records import Command as Command
from firmware.core.records import Decision as Decision
from firmware.core.records import Energy as Energy
from firmware.core.records import Event as Event
from firmware.core.records import Faults as Faults
from firmware.core.records import Kit as Kit
from firmware.core.records import Letter as Letter
from firmware.core.records import Local as Local
from firmware.core.records import Memory as Memory
from firmware.core.records import Offer as Offer
from firmware.core.records import Outputs as Outputs
from firmware.core.records import Pilot as Pilot
from firmware.core.records import PilotMode as PilotMode
from firmware.core.records import Reaction as Reaction
from firmware.core.records import Readings as Readings
from firmware.core.records import Ref as Ref
from firmware.core.records import Refusal as Refusal
from firmware.core.records import SelfTest as SelfTest
from firmware.core.records import Situation as Situation
from firmware.core.records import Stage as Stage
from firmware.core.records import State as State
from firmware.core.records import Wear as Wear

ClaimRows: TypeAlias = tuple[Claim, ...]
Events: TypeAlias = tuple[Event, ...]
Seen: TypeAlias = tuple[Ref, ...]
Plug: TypeAlias = tuple[int | None, int | None, int | None, int | None]
OwnLimits: TypeAlias = tuple[int | None, int | None, int | None, int | None]
Pending: TypeAlias = tuple[tuple[int, int], ...]
Counts: TypeAlias = tuple[tuple[int, int, int], ...]
FaultRow: TypeAlias = tuple[str, int, str, int, str, int, int]
LetterBand: TypeAlias = tuple[Letter, int, int]
StateRow: TypeAlias = tuple[State, bool, PilotMode, str]
# A guard may answer with 0, or with another number, in place of a boolean.
Transition: TypeAlias = tuple[str, Callable[[Situation], bool | int], State, str]
# (state, ((guard, to-state), …))
GuardRow: TypeAlias = tuple[Callable[[Situation], bool | int], State]
GuardRows: TypeAlias = tuple[tuple[str, tuple[GuardRow, ...]], ...]
SettingRow: TypeAlias = tuple[str, str, int, int, int, int | bool | str, str, str, bool]
Octets: TypeAlias = bytes | bytearray | memoryview
Json: TypeAlias = bool | int | str | list[Json] | dict[str, Json] | None
Fields: TypeAlias = dict[str, Json]

class SettingsRecord(NamedTuple):
    wiring_limit_ma: int
    phases: int
    nominal_mv: int
    nominal_hz: int
    has_r37_rules: bool
    guards_open_pen: bool
    is_ventilated: bool
    locked_until_allowed: bool
    restart_spread_s: int
    utc_offset_s: int
    groups: str
    wifi_ssid: str
    wifi_password: str
    mqtt_host: str
    mqtt_port: int
    mqtt_user: str
    mqtt_password: str
    mqtt_is_tls: bool
    plain_may_bind: bool
    may_update_by_mqtt: bool

class GuardRecord(NamedTuple):
    mode: PilotMode
    mode_at_ms: int
    has_diode: bool
    diode_at_ms: int
    test: int
    no_earth_ms: int | None
    may_close: bool

StoredParts: TypeAlias = tuple[Any, Any, Any, Any, Any]
SeqRows: TypeAlias = tuple[tuple[str, str, int], ...]

class JwsRecord(NamedTuple):
    alg: str
    kid: str
    signed: bytes
    payload: bytes
    signature: bytes

class TrustRecord(NamedTuple):
    keys: tuple[tuple[str, str, bytes], ...]
    secret: bytes

class ClaimedRecord(NamedTuple):
    parsed: tuple[Command, int, int]
    place: str
    seq: int
    jws: JwsRecord
    keys: tuple[bytes, ...]

class MessageRecord(NamedTuple):
    scope: str
    payload: Octets
    is_retained: bool

class ContextRecord(NamedTuple):
    now_ms: int
    wall_s: int | None
    voltage_mv: int
    phases: int
    word_number: int
    may_bind: bool

class MomentRecord(NamedTuple):
    now_ms: int
    wall_s: int | None
    power_w: int

class ViewRecord(NamedTuple):
    box: str
    version: str
    memory: Memory
    readings: Readings | None
    settings: SettingsRecord
    boot_epoch_ms: int | None
    phrases: Callable[[str], tuple[str, str]]
    quality: str
    stored_wh: int | None
    session_wall_s: int

class HeldRecord(NamedTuple):
    holder: str
    limit_ma: int
    until_s: int
    for_s: int

class CountedRecord(NamedTuple):
    wh: int
    mwh: int
    wall_s: int
    minute: int
    minute_mwh: int
    session_s: int

class HeadRecord(NamedTuple):
    seq: int
    wall_s: int
    wh: int
    mwh: int
    session_seq: int
    session_wh: int
    session_mwh: int
    session_wall_s: int
    session_s: int
    quarter_seq: int
    quarter_no: int
    minutes_mwh: tuple[int, ...]

class QuarterRecord(NamedTuple):
    seq: int
    quarter_no: int
    wh: int
    mwh: int
    minutes_mwh: tuple[int, ...]

class SessionRecord(NamedTuple):
    seq: int
    from_wall_s: int
    to_wall_s: int
    for_s: int
    from_wh: int
    from_mwh: int
    to_wh: int
    to_mwh: int

class SlotRecord(NamedTuple):
    seq: int
    kind: int
    part: int
    is_last: bool
    octets: bytes

class HeaderRecord(NamedTuple):
    opened: int
    tail: int
    ahead: int
    checkpoint_seq: int
    sectors: int

class EntryRecord(NamedTuple):
    seq: int
    start: int
    at_ms: int
    wall_s: int
    times: int
    code: int
    severity: int
    tag: str
    what: str
    number: int

class PlanRecord(NamedTuple):
    state: str
    since_ms: int
    until_ms: int
    step: int
    code: str
    has_old: bool
    before: int
    end_ms: int
    keys: int

class LookRecord(NamedTuple):
    number: int
    is_linked: bool

class SessionDict(TypedDict):
    wh: int
    started_at: int
    duration_s: int

class FaultDict(TypedDict):
    code: str
    words: str
    do: str

GridDict = TypedDict(
    "GridDict", {"id": str, "issuer": str, "class": str, "limit_ma": int, "start_at": int, "end_at": int}
)

class GridsDict(TypedDict):
    events: list[GridDict]

class ClockDict(TypedDict):
    wall_s: int
    is_set: bool
    quality: NotRequired[str]

class WearDict(TypedDict):
    operations: int
    hot_openings: int

class IdentityPart(TypedDict):
    box: str
    version: str
    state: str
    letter: str
    words: str
    held_by: str
    held_until: int
    held_for_s: int
    limit_ma: int

class EnergyPart(TypedDict):
    offered_ma: int
    currents_ma: list[int]
    power_w: int
    energy_wh: int
    session: SessionDict | None

class FaultPart(TypedDict):
    faults: list[FaultDict]

class GridPart(TypedDict):
    grid: GridsDict

class ClockPart(TypedDict):
    clock: ClockDict
    wear: WearDict

class StatusDict(IdentityPart, EnergyPart, FaultPart, GridPart, ClockPart):
    network: NotRequired[dict[str, Json]]
