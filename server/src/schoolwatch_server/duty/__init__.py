"""Who is told of an incident, when, and in how many messages: pure, of declared shifts and a moment."""
