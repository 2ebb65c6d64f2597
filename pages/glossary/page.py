"""The glossary: each term in both languages, its symbol, its name in the code, and where it lives."""

from functools import partial

import streamlit as st

from pages.glossary.table import table
from pages.ui.lab import Lab, asked
from pages.ui.words.terms import linked

here = Lab()
here.choose("terms")
here.place(lambda: st.html(table(here)))  # before it asks: a reader who looks for a term is not asked first
here.asks(asked("logits", "scores", "weights", "values"), asked("fixed", "weights", "matrix", "bias"))
here.tells(partial(here.say, "notice_names"), linked)
here.back()
