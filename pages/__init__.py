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
# The step that each lab deepens.
DEEPENS = {"root": "scaling", "masks": "softmax", "cross": "scores", "order": "embedding", "rivals": "scores"}
DEEPENS |= {"context": "weighted_sum", "paper": "weighted_sum", "same": "heads", "cost": "softmax", "today": "heads"}
DEEPENS |= {"training": "heads", "size": "heads", "vectors": "embedding", "real": "heads", "mistakes": "projections"}
DEEPENS |= {"uses": "overview", "glossary": "overview"}
LABS = tuple(slug for group in GROUPS.values() for slug in group)
PAGES = (OVERVIEW, *WALK, *LABS)
