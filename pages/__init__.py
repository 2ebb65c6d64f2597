"""The table of contents: every page's folder, in the order a reader walks them. A new step is one line here."""

OVERVIEW = "overview"
WALK = ("embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")
# The labs by group, as the menu shows them.
GROUPS = {
    "why": ("root", "masks", "cross", "order", "rivals", "context"),
    "how": ("paper", "same", "cost", "today"),
    "learning": ("training", "size", "vectors", "real"),
    "around": ("mistakes", "uses", "glossary"),
}
LABS = tuple(slug for group in GROUPS.values() for slug in group)
PAGES = (OVERVIEW, *WALK, *LABS)
