"""The page's side: widget classes and their ES modules. Nothing here knows what a configuration is."""
