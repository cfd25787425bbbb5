"""What settles trades without a pool between them: signed orders, and later positions and margin."""
