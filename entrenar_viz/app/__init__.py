"""The dashboard served alone, by Voila: the server's rules and the notebook of one cell."""
