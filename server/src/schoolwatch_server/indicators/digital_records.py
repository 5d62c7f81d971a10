"""Share of a school's equipment that has a complete digital record."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """Computers that report and that no record is about are equipment without one."""
    assets = counts.assets
    if not assets.records:
        return Fraction(None, None, 0, None, "no_assets")
    counted = assets.records + assets.devices_without
    return Fraction(assets.complete, counted, counted, counted)


INDICATOR = Indicator("digital_records", "ratio", compute, code="I-25", group="devices", basis="hybrid")
