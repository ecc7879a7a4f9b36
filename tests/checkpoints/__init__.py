"""Small models with random weights, in the folders and files that real ones have: what they say is noise, how they
are loaded and run is real."""
