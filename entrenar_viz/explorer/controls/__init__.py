"""What can be set, its history, and its numbers as people type them. No widget lives here."""
