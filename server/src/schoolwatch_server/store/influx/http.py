"""Requests to a store that `influxdb-client` has no words for; what goes wrong is a `StoreDownError`."""

import base64
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schoolwatch_server.store.influx import words
from schoolwatch_server.store.influx.engine import ANSWER, CONNECT, StoreDownError, StoreSlowError

_SHOWN: Final = 80
"""Characters of what was answered that are shown."""

LARGEST: Final = 64_000_000
"""Bytes of one answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names of its `headers` are written small."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """Its content, whatever is in it."""
        return self.content.decode(errors="replace")

    @property
    def shown(self) -> str:
        """What somebody can tell by who it was that answered: `404 text/html of nginx: "<h1>Not found…"`."""
        kind, by = (self.headers.get(name, "") for name in ("content-type", "server"))
        said = " ".join(self.text[:400].split())
        head = f"{self.status_code} {kind.partition(';')[0]}".rstrip() + (f" of {by}" if by else "")
        return f'{head}: "{said[:_SHOWN]}{"…" * (len(said) > _SHOWN)}"' if said else f"{head}, nothing else"

    @property
    def words(self) -> str:
        """What is wrong with it, and what to do."""
        return words.answered(self.status_code, self.text, self.headers.get("location", ""))


def trust(ca_file: str) -> ssl.SSLContext:
    """This machine's authorities, and those of a file (PEM). Raises `StoreDownError` if it is not one."""
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise StoreDownError(f"store.ca_file: {ca_file} can't be used ({error})"[:300]) from error
    return context


def authorization(token: str, scheme: str, *, knows_users: bool) -> str:
    """The header's text: of `user:password`, where the store knows users, that of HTTP (RFC 7617)."""
    if knows_users and ":" in token:
        return f"Basic {base64.b64encode(token.encode()).decode()}"
    return f"{scheme} {token}" if token else ""


class Requests:
    """A client of one address; the token goes into a header, never into the address."""

    def __init__(self, url: str, authorization: str, ca_file: str, answer: float = ANSWER) -> None:
        import httpx  # a tenth of a second that only who has such a store pays

        self._failed, self._seconds = httpx.HTTPError, answer
        self._slow = (httpx.ReadTimeout, httpx.WriteTimeout)
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": authorization} if authorization else {},
            timeout=httpx.Timeout(answer, connect=CONNECT),
            verify=trust(ca_file),
            trust_env=False,
        )

    def close(self) -> None:
        """Lets its connections go."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises `StoreDownError` where there is none, or no end of it."""
        until, found = time.monotonic() + self._seconds, bytearray()
        try:
            with self._client.stream(method, path, params=params, content=content, data=form) as answer:
                for part in answer.iter_bytes():
                    found += part
                    if len(found) > LARGEST or time.monotonic() > until:
                        raise StoreDownError(f"{path}: the answer does not end")
        except self._slow as error:
            raise StoreSlowError(f"{type(error).__name__}: no answer in time") from error
        except self._failed as error:
            raise StoreDownError(words.unreached(error)) from error
        return Answer(answer.status_code, dict(answer.headers), bytes(found))

    def ask(self, path: str, params: Mapping[str, str], form: Mapping[str, str] | None = None) -> Answer:
        """An answer that is one. Raises `StoreDownError` for any other."""
        answer = self.send("GET" if form is None else "POST", path, params, form=form)
        if answer.status_code >= 300:
            raise StoreDownError(f"{path}: {answer.words}")
        return answer
