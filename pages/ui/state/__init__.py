"""What a reader has chosen: the settings, their address, what fits together, and the visit that remembers it."""
