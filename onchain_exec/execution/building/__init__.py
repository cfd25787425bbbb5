"""What an approved order becomes: a draft, what it is missing, and unsigned transactions."""
