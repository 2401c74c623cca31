"""Files of any content: written whole or not at all, and JSON read strictly. Nothing here knows what a file means."""
