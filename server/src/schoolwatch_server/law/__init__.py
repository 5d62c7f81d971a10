"""What the law on personal data and on levels of security asks to be written down, made from the code."""
