"""Requests to a store that `influxdb-client` has no words for; what goes wrong is a `StoreDownError`."""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

from schoolwatch_server.store.influx.engine import ANSWER, CONNECT, StoreDownError

if TYPE_CHECKING:
    import httpx


def trust(ca_file: str) -> ssl.SSLContext:
    """This machine's authorities, and those of a file (PEM). Raises `StoreDownError` if it is not one."""
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise StoreDownError(f"store.ca_file: {ca_file} can't be used ({error})"[:300]) from error
    return context


class Requests:
    """A client of one address; the token goes into a header, never into the address."""

    def __init__(self, url: str, authorization: str, ca_file: str, answer: float = ANSWER) -> None:
        import httpx  # a tenth of a second that only who has such a store pays

        self._failed = httpx.HTTPError
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
    ) -> "httpx.Response":
        """The answer, whatever its status. Raises `StoreDownError` where there is none."""
        try:
            return self._client.request(method, path, params=params, content=content, data=form)
        except self._failed as error:
            raise StoreDownError(f"{type(error).__name__}: {error}"[:300]) from error

    def ask(
        self, path: str, params: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> "httpx.Response":
        """An answer that is one. Raises `StoreDownError` for any other."""
        answer = self.send("GET" if form is None else "POST", path, params, form=form)
        if answer.status_code >= 300:
            raise StoreDownError(f"{path}: {answer.status_code} {' '.join(answer.text.split())[:300]}")
        return answer
