"""The tabs below the picture, one file each, of core widgets; each knows only what it is given."""
