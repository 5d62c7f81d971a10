"""The server's database: the only package that speaks SQL."""
