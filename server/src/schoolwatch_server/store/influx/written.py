"""Writes line protocol through `influxdb-client`: to InfluxDB from 1.8 on, and to VictoriaMetrics.

Ready bytes and SYNCHRONOUS: its `Point` costs ten times as much, and what its batching holds in memory is
lost with the process.
"""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from schoolwatch_server.oidc_section import is_loopback
from schoolwatch_server.store.influx import words
from schoolwatch_server.store.influx.engine import ANSWER, CONNECT, StoreDownError, StoreSlowError, told
from schoolwatch_server.store.influx.http import trust


class V2Writer:
    """`POST /api/v2/write` of a bucket; VictoriaMetrics takes no notice of organisation and bucket.

    `authorization` takes the place of InfluxDB's own way to send a token.
    """

    def __init__(
        self, url: str, token: str, ca_file: str, org: str, bucket: str, authorization: str = ""
    ) -> None:
        # here and not above: 53 MB of memory that only who has such a store pays
        from influxdb_client.client.influxdb_client import InfluxDBClient
        from influxdb_client.client.write_api import SYNCHRONOUS
        from influxdb_client.domain.write_precision import WritePrecision
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        logging.getLogger("influxdb_client").setLevel(logging.ERROR)  # what fails is said by us
        self._failed, self._answered, self._slow = HTTPError, ApiException, (ReadTimeoutError, TimeoutError)
        self._bucket, self._precision = bucket, WritePrecision.NS
        client = InfluxDBClient(
            url=url.rstrip("/"),
            token=token,
            org=org,
            timeout=(int(CONNECT * 1000), int(ANSWER * 1000)),
            enable_gzip=not is_loopback(urlsplit(url).hostname or ""),  # it takes longer than all the rest
            ssl_context=trust(ca_file),
        )
        if authorization:
            client.api_client.default_headers["Authorization"] = authorization
        self._client = client
        self._api = client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: bytes) -> int:
        """As `StoreEngine.write`."""
        try:
            self._api.write(
                bucket=self._bucket,
                record=lines,
                write_precision=self._precision,  # type: ignore[arg-type]  # its constants are texts
            )
        except self._answered as error:
            if not error.status:  # TLS: there was no answer
                raise StoreDownError(words.advised(str(error.reason))) from error
            headers: Mapping[str, str] = error.headers or {}
            where = headers.get("location", "")
            return told(error.status, _text(error.body) or str(error.reason), where)
        except self._slow as error:
            raise StoreSlowError(f"{type(error).__name__}: no answer in time") from error
        except (self._failed, OSError) as error:
            raise StoreDownError(words.unreached(error)) from error
        answered = self._client.api_client.last_response
        return told(answered.status, _text(answered.data))

    def close(self) -> None:
        """Lets its connections go."""
        self._client.close()  # type: ignore[no-untyped-call]


def _text(body: object) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
