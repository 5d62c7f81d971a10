"""What rooms and devices are used for."""

ROLES = ("student_lab", "classroom", "office", "studio")
"""What a room, or a device apart from its room, is used for."""

GATEWAY = "gateway"
"""The role of a device that may pass on what others report; no room has it."""

DEVICE_ROLES = (*ROLES, GATEWAY)
