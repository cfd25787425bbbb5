"""What a desk is opened with: settings, endpoints, journal, signer, and the chains we know."""
