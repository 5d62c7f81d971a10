"""Decides what a message is: a report to commit, or something to put in quarantine. No I/O, no clock."""

from dataclasses import dataclass

from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract import topics
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import Frame, Header
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database.credentials import Credential

LATE_AFTER = 1800.0
"""Seconds from which a report is late, whatever the delivery period is."""

STEP = 600.0
"""Seconds by which a message may be held up on its way before its device's clock must have been set anew."""

_QUEUE_SLACK = 60.0
"""Seconds of slack when deciding whether a message may have waited, or was taken after it arrived."""


@dataclass(frozen=True, slots=True)
class Message:
    """What was handed over at `arrived` (UTC seconds), after waiting at the broker `waited` at most.

    `carried` is true for what came in a bundle.
    """

    topic: str
    payload: bytes
    arrived: float
    waited: float = 0.0
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody's report: not a frame, not verified, or in another's name."""

    message: Message
    device: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """A verified frame of a known device; `envelope` is None when its body could not be decoded."""

    message: Message
    device: str
    device_id: int
    header: Header
    body: bytes
    digest: bytes
    envelope: Envelope | None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A frame that says whose it is; nothing is proved yet."""

    message: Message
    device: str
    frame: Frame


def read(message: Message) -> Claim | Refused:
    """Whose report a message claims to be, or why it is none."""
    device: str | None = None
    try:
        device, leaf = topics.parse(message.topic)
        frame = frames.parse(message.payload)
    except ContractError as error:
        return Refused(message, device, error.reason, error.detail)
    if leaf != "report":
        return Refused(message, device, "topic", f"{leaf} is no report")
    if frame.header.device != device:
        detail = f"the frame is of {frame.header.device}, its topic of {device}"
        return Refused(message, device, "other_device", detail)
    return Claim(message, device, frame)


def prove(claim: Claim, credential: Credential | None) -> Report | Refused:
    """The report, once it is proved that the device made it; also one that cannot be decoded."""
    if credential is None:
        return Refused(claim.message, claim.device, "unknown_device", "no such device is enrolled")
    if credential.revoked:
        return Refused(claim.message, claim.device, "revoked", "the device's credential was revoked")
    try:
        frames.verify(claim.message.payload, credential.frame_key)
    except ContractError as error:
        return Refused(claim.message, claim.device, error.reason, error.detail)
    envelope, reason, detail = None, "", ""
    try:
        envelope = envelopes.decode(claim.frame.body)
    except ContractError as error:
        reason, detail = error.reason, error.detail
    header, body = claim.frame.header, claim.frame.body
    digest = frames.digest(body)
    return Report(
        claim.message, claim.device, credential.device_id, header, body, digest, envelope, reason, detail
    )


def clock_offset(message: Message, sent_at: float, known: float | None) -> float:
    """Seconds to add to the device's clock to get the server's: arrival less the time of sending.

    A message that may have waited at the broker while intake was away tells nothing when the difference
    is no more than that wait: then the device's `known` offset holds, or else its clock is believed.
    What was carried is taken at its word, unless the device's clock is ahead of ours for certain.
    """
    offset = message.arrived - sent_at
    if message.carried:
        return min(offset, 0.0)
    if message.waited and 0 <= offset <= message.waited + _QUEUE_SLACK:
        return known or 0.0
    return offset


def stepped_offset(message: Message, sent_at: float, offset: float) -> float | None:
    """The offset that holds now, when the device's clock was set anew since the generation's was fixed."""
    if message.carried or message.waited:
        return None
    now = message.arrived - sent_at
    return now if abs(now - offset) > STEP else None


def corrected(at: float, offset: float, arrived: float, stepped: float | None = None) -> float:
    """An instant of the device's clock on the server's; nothing was taken after it arrived.

    Of a clock that was set anew, an instant is from before or from after: the wrong one of the two offsets
    puts it into the future, or further into the past.
    """
    instants = [at + each for each in (offset, stepped) if each is not None]
    return min(max((each for each in instants if each <= arrived + _QUEUE_SLACK), default=arrived), arrived)


def is_late(taken_at: float, arrived: float, delivery_period: float) -> bool:
    """Whether a report is older than its way here explains."""
    return arrived - taken_at > max(LATE_AFTER, 2 * delivery_period)
