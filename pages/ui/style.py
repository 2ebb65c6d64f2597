"""The few rules of style that Streamlit's theme cannot say.

A chart's width is a whole number of pixels: with a fraction Plotly rounds, finds the width changed, and draws it all
a second time.
"""

# Plotly shrinks a number until it fits its cell; below 7 px nobody can read it, so it goes.
_TOO_SMALL = ",".join(f'.heatmap-label text[style*="font-size: {size}px"]' for size in range(7))

STYLE = f"""<style>
{_TOO_SMALL} {{ display: none; }}
[data-testid=stElementContainer]:has([data-testid=stPlotlyChart]), [data-testid=stFullScreenFrame] {{
  width: round(down, 100%, 1px) !important;
}}
[data-testid=stMainBlockContainer] {{ padding-top: 3.2rem; padding-bottom: 3rem; max-width: 1280px; }}
[data-testid=stSidebarUserContent] [data-testid=stVerticalBlock] {{ gap: 0.7rem; }}
[data-testid=stMain] h2 {{ font-size: 1.2rem; padding: 0.4rem 0 0.6rem; }}
[data-testid=stCaptionContainer], [data-testid=stCaptionContainer] p {{
  color: inherit !important; opacity: 1 !important;
}}
.stMain .katex-display {{ overflow: visible !important; padding: 0.2rem 0; }}
.token.keyword, .token.function {{ color: #1a5fae !important; }}
@media (prefers-color-scheme: dark) {{ .token.keyword, .token.function {{ color: #6fb3ff !important; }} }}
.st-key-strip [data-testid=stCaptionContainer] {{ margin: 0; padding: 0; }}
.st-key-strip [data-testid=stCaptionContainer] p {{ margin: 0; }}
.st-key-steps [data-testid=stPageLink] {{ min-width: 9rem; }}
.st-key-steps [data-testid=stMarkdownContainer] {{ margin: 0; }}
.st-key-steps [data-testid=stMarkdownContainer] p {{ margin: 0; }}
@media (max-width: 640px) {{
  .st-key-crumbs {{ display: none; }}
  .st-key-steps [class*=st-key-step_] {{ flex-direction: column; align-items: flex-start; gap: 0.2rem; }}
  [data-testid=stMainBlockContainer] {{ padding: 4.2rem 0.9rem 3rem; }}
  h1 {{ font-size: 1.7rem !important; }}
}}
</style>"""
