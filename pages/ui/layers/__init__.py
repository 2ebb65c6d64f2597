"""Where a layer's numbers come from, and the long work behind them."""
