"""What Grafana sends when an alert fires or is over, and what is answered."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.shapes import Answer, Count

Label = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=10_000)]


class Alert(BaseModel):
    """One alert; of what else Grafana sends nothing is read."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[Label, Text], Field(max_length=60)]
    annotations: Annotated[dict[Label, Text] | None, Field(max_length=60)] = None
    startsAt: Annotated[str, Field(max_length=64, description="RFC 3339")] = ""  # noqa: N815  Grafana's name


class AlertMessage(BaseModel):
    """Grafana's webhook: https://grafana.com/docs/grafana/latest/alerting/…/webhook-notifier/.

    An Alertmanager's `webhook_config` sends the same. Both send all alerts of a group in one message, unless
    *Max Alerts* (`max_alerts`) says of how many the rest is left out; that many are `truncatedAlerts`.
    """

    model_config = ConfigDict(extra="ignore")

    alerts: list[Alert]
    groupKey: Text = ""  # noqa: N815  Grafana's name
    truncatedAlerts: Annotated[int, Field(ge=0)] = 0  # noqa: N815  Grafana's name

    @classmethod
    def model_json_schema(cls, *args: Any, **more: Any) -> dict[str, Any]:
        """In one piece: the description of the API takes it as it is."""
        schema = super().model_json_schema(*args, **more)
        schema["properties"]["alerts"]["items"] = schema.pop("$defs")["Alert"]
        return schema


class AlertsTaken(Answer):
    """How many of the alerts fire now, how many are not held any more, and for how many there was no room."""

    firing: Count
    over: Count
    left: Count
