"""A configuration as something to read or run elsewhere: Python, Rust, Markdown.

The trainer's own file is in config.
"""
