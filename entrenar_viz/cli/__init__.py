"""The command ``entrenar-viz``: one file a command, and the parser that chooses among them."""
