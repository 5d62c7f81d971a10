"""Series of where things stand that no indicator says: incidents, safeguards, rollout, the server itself.

They are written as indicators are (`indicators.series`): a point when something changed, and now and then.
"""
