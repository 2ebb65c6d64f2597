"""The words: a page's prose, short labels, and numbers written for people."""
