"""What the server last told this device to aim at, kept in the data folder between two cycles."""

from pathlib import Path

from schoolwatch_agent import identity
from schoolwatch_agent.identity import Credential, IdentityError
from schoolwatch_agent.log import log
from schoolwatch_contract import settings
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.settings import DEFAULTS, Settings

FILE = "settings.json"


def read(data: Path) -> Settings:
    """The settings last heard; the defaults when there are none or they cannot be read."""
    try:
        return settings.decode((data / FILE).read_bytes())
    except (OSError, ContractError):
        return DEFAULTS


def keep(data: Path, text: bytes) -> bool:
    """Keeps what the server said if it is settings and says something new; whether it did.

    Never raises: a device that cannot keep its settings measures with those that it has.
    """
    try:
        said = settings.decode(text)
        if said == read(data):
            return False
        identity.write_private(data / FILE, settings.encode(said))
    except ContractError as error:
        log(__name__).warning("settings that cannot be read are ignored: %s", error)
        return False
    except IdentityError as error:
        log(__name__).warning("settings that cannot be kept are ignored: %s", error)
        return False
    return True


def is_renewal_due(data: Path, credential: Credential) -> bool:
    """Whether the server wishes for a new key, or gave one that is to be taken up."""
    wished = read(data).renew > credential.made_at
    return not credential.pending and bool(credential.url) and (credential.renewed is not None or wished)
