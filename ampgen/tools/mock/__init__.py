"""A server that nobody has written: what it answers, and what it is asked."""
