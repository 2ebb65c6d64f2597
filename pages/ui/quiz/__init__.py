"""Questions made from the numbers on screen: one file a step, the judging, and the box that asks."""
