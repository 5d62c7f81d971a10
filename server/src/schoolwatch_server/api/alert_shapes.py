"""What Grafana sends when an alert fires or is over, and what is answered."""

from typing import Annotated, Literal

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
    """Grafana's webhook: https://grafana.com/docs/grafana/latest/alerting/…/webhook-notifier/."""

    model_config = ConfigDict(extra="ignore")

    alerts: Annotated[list[Alert], Field(max_length=100)]


class AlertsTaken(Answer):
    """How many of the alerts fire now, and how many are not held any more."""

    firing: Count
    over: Count
