"""Logging in through a provider of identities: OpenID Connect Core 1.0, authorization code flow with PKCE."""
