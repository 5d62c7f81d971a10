"""The server's acknowledgement, retained per device: what it has committed, and in which epoch."""

from typing import Annotated

import msgspec

from schoolwatch_contract.errors import ContractError

Spool = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
Epoch = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]


class Ack(msgspec.Struct, frozen=True):
    """`spools` maps a spool generation to the highest seq with nothing missing below it.

    A new `epoch` says that the server was restored from a copy: marks may be lower than before,
    and agents send again what lies above them.
    """

    epoch: Epoch
    spools: dict[Spool, Annotated[int, msgspec.Meta(ge=0)]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Ack)


def encode(ack: Ack) -> bytes:
    """Compact JSON."""
    return _encoder.encode(ack)


def decode(text: bytes) -> Ack:
    """Raises `ContractError` for anything but an acknowledgement."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError("value", str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error
