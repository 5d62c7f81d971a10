"""What several benchmarks need: a private Python, a server with TLS, and a sampler of processes."""
