"""What a rule would have done: the pure `rules.follow` over stored reports, in a process of its own."""
