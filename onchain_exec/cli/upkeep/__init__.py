"""Commands about everything around a trade: nodes, journals, approvals, accounts, contracts."""
