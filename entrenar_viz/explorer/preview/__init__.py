"""From a mask request to what the page is sent of a layer. No widget lives here."""
