"""The table of contents: every page's folder, in the order a reader walks them. A new step is one line here."""

OVERVIEW = "overview"
WALK = ("embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")
LABS = ("training", "size", "vectors", "real")
PAGES = (OVERVIEW, *WALK, *LABS)
