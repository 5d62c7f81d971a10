"""Decides what a message is: a report to commit, or something to put in quarantine. No I/O, no clock."""

from dataclasses import dataclass

from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract import topics
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import Frame, Header
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database.credentials import Credential


@dataclass(frozen=True, slots=True)
class Message:
    """What was handed over at `arrived` (UTC seconds), after waiting at the broker `waited` at most.

    `made_at` is when the bundle in which it came was written, by the device's clock; None for what came live.
    """

    topic: str
    payload: bytes
    arrived: float
    waited: float = 0.0
    made_at: float | None = None

    @property
    def is_carried(self) -> bool:
        """Whether it came in a bundle."""
        return self.made_at is not None


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
        return Refused(
            claim.message,
            claim.device,
            "unknown_device",
            "no such device is enrolled, or its key was altered",
        )
    if credential.revoked:
        return Refused(claim.message, claim.device, "revoked", "the device's credential was revoked")
    if credential.pending:
        return Refused(claim.message, claim.device, "pending", "the device waits for approval")
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
