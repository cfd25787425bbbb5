"""From a simulated plan to its outcome: signed, sent once, waited for."""
