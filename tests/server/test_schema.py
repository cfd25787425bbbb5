"""Whatever fits the schema, and what does not, gets an answer: no 5xx, nothing without the token, and what
is sent again is done once."""
