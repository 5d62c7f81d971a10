"""The probe of schools' websites: what an address may be, what may be reached, and one look at a site.

`program` is the child that looks; it knows nothing of the database, and nothing of it is imported there.
"""
