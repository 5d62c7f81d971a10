"""Pure parsers of formats that more than one probe reads."""
