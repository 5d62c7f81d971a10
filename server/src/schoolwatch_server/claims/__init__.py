"""What schools declare because nothing measures it: the questions, and an answer's way to recognition."""
