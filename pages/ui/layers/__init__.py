"""Layers made ready: trained or loaded in turn, with progress; and the trace of a sentence through them."""
