"""The app: `streamlit run app.py`. Pages are in pages/, every number comes from attention/."""

import streamlit as st

from pages.ui import frame
from pages.ui.server import front_pages, serving

if __name__ == "__main__":  # one run for one visitor
    st.set_page_config(layout="wide", initial_sidebar_state="auto")
    frame.dress()
    settings = frame.restore()
    contents = frame.contents(settings.lang)
    current = st.navigation(list(contents.values()), position="hidden")
    here = next(slug for slug, page in contents.items() if page == current)

    frame.sidebar(settings, contents)
    frame.strip(settings, contents, here)
    current.run()
    frame.footer(settings, contents, here)
else:  # the server, which runs this file once more for every visitor
    app = st.App(__file__, lifespan=serving, routes=front_pages())
