"""Tensors and labels in, Plotly figures out. Nothing here knows of Streamlit."""
