"""The quota ledger: room promised before its size or outcome is known."""
