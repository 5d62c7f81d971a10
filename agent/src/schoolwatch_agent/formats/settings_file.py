"""Files of `[sections]` and `key=value`: the desktop's key files, display managers, and what they say."""

from schoolwatch_agent.errors import NotUnderstood


def sections(text: str) -> dict[str, dict[str, str]]:
    """Section → key → value, as written; a later value replaces an earlier one. Raises `NotUnderstood`."""
    from configparser import Error, RawConfigParser  # of use on few machines, once in some hours

    class Parser(RawConfigParser):
        def optionxform(self, optionstr: str) -> str:
            return optionstr  # keys differ in case

    parser = Parser(delimiters=("=",), comment_prefixes=("#", ";"), strict=False, default_section="")
    try:
        parser.read_string(text.lstrip("\ufeff"))
    except Error as error:
        raise NotUnderstood("not a file of sections", text) from error
    return {name: dict(parser.items(name)) for name in parser.sections()}


def autologin(text: str) -> bool | None:
    """Whether this file makes somebody be logged in at start; None when it does not say.

    LightDM's `autologin-user` of `[Seat:*]`, GDM's `AutomaticLoginEnable` and `TimedLoginEnable` of
    `[daemon]`, SDDM's `User` of `[Autologin]`.
    """
    said: bool | None = None
    for name, values in sections(text).items():
        for key in ("AutomaticLoginEnable", "TimedLoginEnable"):
            if name == "daemon" and key in values:
                said = said is True or values[key].strip().lower() in ("true", "1", "yes")
        if name.startswith("Seat") and "autologin-user" in values:
            said = bool(values["autologin-user"].strip())
        if name == "Autologin" and "User" in values:
            said = bool(values["User"].strip())
    return said
