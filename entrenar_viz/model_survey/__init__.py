"""What a configuration does to every layer of a model, in bounded memory."""
