"""Options as the chain runs them: series, previews, volatility and Greeks, collateral, expiry. No I/O."""
