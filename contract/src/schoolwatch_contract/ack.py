"""The server's acknowledgement, retained per device: what it has committed, and in which epoch."""

from typing import Annotated

import msgspec

from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import FRAME_MAX, SEQ_MAX
from schoolwatch_contract.records import END

Spool = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}" + END)]
Epoch = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}" + END)]


class Ack(msgspec.Struct, frozen=True):
    """`spools` maps a spool generation to the highest seq with nothing missing below it.

    A new `epoch` says that the server was restored from a copy: marks may be lower than before,
    and agents send again what lies above them.
    """

    epoch: Epoch
    spools: dict[Spool, Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Ack)


def encode(ack: Ack) -> bytes:
    """Compact JSON. Raises `ContractError` for what an agent refuses."""
    try:
        text = _encoder.encode(ack)
    except (TypeError, ValueError, RecursionError) as error:
        raise ContractError("value", str(error)) from error
    decode(text)
    return text


def decode(text: bytes) -> Ack:
    """Raises `ContractError` for anything but an acknowledgement of at most `FRAME_MAX` bytes."""
    if len(text) > FRAME_MAX:
        raise ContractError("too_large", f"{len(text)} bytes, at most {FRAME_MAX} fit an acknowledgement")
    try:
        text.decode("utf-8", "strict")
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError("value", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error
