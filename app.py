"""The app: `streamlit run app.py`. Pages are in pages/, every number comes from attention/."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import frame, live
from pages.ui.server import Compressed, front_pages, serving

if __name__ == "__main__":  # one run for one visitor
    st.set_page_config(layout="wide", initial_sidebar_state=264)
    frame.dress()
    here = frame.begin()
    contents = frame.contents(here.settings.lang)
    frame.run(here, contents, st.navigation(list(contents.values()), position="hidden"))
else:  # the server, which runs this file once more for every visitor
    app = st.App(
        __file__, lifespan=serving, routes=[*front_pages(), *live.routes()], middleware=[Middleware(Compressed)]
    )
