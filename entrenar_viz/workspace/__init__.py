"""What a user keeps: sessions and presets, in versioned files of our own."""
