"""Parts of the daemon with the real stores behind them."""
