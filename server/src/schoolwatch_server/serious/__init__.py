"""Serious incidents: their two deadlines, the form that goes to a centre, whom to call, malware statistics.

Nghị định 331/2026/NĐ-CP, Điều 31 khoản 2 điểm d, as a second source gives it (`DUTY`): a first notice within
24 hours of the detection, cause, scope and remedy within 72 hours. Nothing here sends anything anywhere.
"""
