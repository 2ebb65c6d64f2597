"""The glossary: each term in both languages, its symbol, its name in the code, and where it lives."""

import streamlit as st

from pages.glossary.table import table
from pages.ui.lesson import Page

here = Page()
with st.container(key="stage"):
    st.html(table(here))
