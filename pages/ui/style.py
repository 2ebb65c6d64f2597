"""The few rules of style that Streamlit's theme cannot say."""

# Plotly shrinks a number until it fits its cell; below 7 px nobody can read it, so it goes.
_TOO_SMALL = ",".join(f'.heatmap-label text[style*="font-size: {size}px"]' for size in range(7))

STYLE = f"""<style>
{_TOO_SMALL} {{ display: none; }}
[data-testid=stMainBlockContainer] {{ padding-top: 3.2rem; padding-bottom: 3rem; max-width: 1280px; }}
[data-testid=stSidebarUserContent] [data-testid=stVerticalBlock] {{ gap: 0.7rem; }}
.st-key-strip [data-testid=stCaptionContainer] p {{ margin: 0; }}
@media (max-width: 640px) {{
  [data-testid=stMainBlockContainer] {{ padding-left: 0.9rem; padding-right: 0.9rem; }}
  h1 {{ font-size: 1.7rem !important; }}
}}
</style>"""
