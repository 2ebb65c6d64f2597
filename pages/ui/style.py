"""The few rules of style that Streamlit's theme cannot say.

A chart's width is a whole number of pixels: with a fraction Plotly rounds, finds the width changed, and draws it all
a second time.
"""

# Plotly shrinks a number until it fits its cell; below 7 px nobody can read it, so it goes.
_TOO_SMALL = ",".join(f'.heatmap-label text[style*="font-size: {size}px"]' for size in range(7))

# Plotly writes dark grey on bright cells; on those that are not quite bright that is too weak.
_DARK_INK = '.heatmap-label text[style*="fill: rgb(68, 68, 68)"]'

STYLE = f"""<style>
{_TOO_SMALL} {{ display: none; }}
{_DARK_INK} {{ fill: #0b0d12 !important; }}
[data-testid=stElementContainer]:has([data-testid=stPlotlyChart]), [data-testid=stFullScreenFrame] {{
  width: round(down, 100%, 1px) !important;
}}
[data-testid=stMainBlockContainer] {{ padding: 3.2rem 3rem 3rem; max-width: 1280px; }}
[data-testid=stSidebarUserContent] [data-testid=stVerticalBlock] {{ gap: 0.7rem; }}
[data-testid=stMain] h2 {{ font-size: 1.2rem; padding: 0.4rem 0 0.6rem; }}
[data-testid=stMain] [data-testid=stMarkdownContainer]:has(> table) {{ overflow-x: auto; }}
[data-testid=stCaptionContainer], [data-testid=stCaptionContainer] p {{
  color: inherit !important; opacity: 1 !important;
}}
.stMain .katex-display {{ overflow: visible !important; padding: 0.2rem 0; }}
.token.keyword, .token.function {{ color: #1a5fae !important; }}
@media (prefers-color-scheme: dark) {{ .token.keyword, .token.function {{ color: #6fb3ff !important; }} }}
.pointer-frames {{ position: absolute; inset: 0; pointer-events: none; overflow: hidden; }}
.pointer-frames > * {{ position: absolute; box-sizing: border-box; }}
.pointer-frames > .line {{ outline: 1px solid var(--pointer); opacity: 0.55; }}
.pointer-frames > .source {{ outline: 2px dashed var(--pointer); outline-offset: 1px; }}
.pointer-frames > .cell {{ outline: 3px solid var(--pointer); box-shadow: 0 0 0 5px var(--pointer-halo); }}
.pointer-frames > .pointed {{ outline: 3px solid #d6248f; box-shadow: 0 0 0 6px var(--pointer-halo); }}
[data-asks=true] .nsewdrag, .st-key-real_mosaic .nsewdrag {{ cursor: pointer !important; }}
:root {{ --pointer: #1f2430; --pointer-halo: #ffffffcc; }}
@media (prefers-color-scheme: dark) {{ :root {{ --pointer: #fff; --pointer-halo: #10141dcc; }} }}
.terms {{ display: grid; gap: 2px; font-size: 0.86rem; font-variant-numeric: tabular-nums; }}
.term {{ display: grid; grid-template-columns: minmax(0, 1fr) 3.6rem 24%; align-items: center; gap: 0.5rem; }}
.term .factors {{ display: flex; flex-wrap: wrap; align-items: center; gap: 0.15rem 0.35rem; }}
.term .product {{ text-align: right; }}
.term .track {{ position: relative; height: 0.8rem; border-left: 0; }}
.term .track::before {{ content: ""; position: absolute; left: 50%; top: -3px; bottom: -3px; width: 1px;
  background: currentColor; opacity: 0.3; }}
.term .track i {{ position: absolute; top: 0; bottom: 0; border-radius: 2px; min-width: 1px; }}
.term .plus {{ background: #d9781f; }}
.term .minus {{ background: #7a63b5; }}
.term .share {{ background: #8ccddb; }}
.term .share.own {{ background: #23788f; }}
.shares .track::before {{ left: 0 !important; }}
.ask {{ font: inherit; color: inherit; background: #8882; border: 1px solid #8884; border-radius: 0.4rem;
  padding: 0.02rem 0.4rem; cursor: pointer; white-space: nowrap; }}
.ask:hover, .ask:focus-visible {{ border-color: currentColor; }}
.ask em {{ font-style: normal; font-weight: 600; margin-left: 0.2rem; }}
.st-key-inspector .katex-display {{ text-align: left; overflow-x: auto !important; overflow-y: hidden !important;
  padding-right: 6px; font-size: 0.86em; }}
.st-key-inspector .katex-display > .katex, .st-key-inspector .katex-html {{ text-align: left !important; }}
.look {{ font-size: 0.9rem; }}
.times, .arrow, .rest {{ opacity: 0.75; }}
.trail {{ font-size: 0.9rem; line-height: 2; }}
.trail .arrow {{ margin: 0 0.4rem; }}
.st-key-strip [data-testid=stCaptionContainer] {{ margin: 0; padding: 0; }}
.st-key-strip [data-testid=stCaptionContainer] p {{ margin: 0; }}
.st-key-steps [data-testid=stPageLink] {{ min-width: 9rem; }}
.st-key-steps [data-testid=stMarkdownContainer] {{ margin: 0; }}
.st-key-steps [data-testid=stMarkdownContainer] p {{ margin: 0; }}
@media (max-width: 1150px) {{ .st-key-crumbs {{ display: none; }} }}
@media (max-width: 640px) {{
  .st-key-steps [class*=st-key-step_] {{ flex-direction: column; align-items: flex-start; gap: 0.2rem; }}
  [data-testid=stMainBlockContainer] {{ padding: 4.2rem 0.9rem 3rem; }}
  h1 {{ font-size: 1.7rem !important; }}
}}
</style>"""
