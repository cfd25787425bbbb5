"""Our contracts onto a chain: the same addresses everywhere, verified, resumable, and written down."""
