"""The avatar capability: a head in three dimensions that speaks, and how it is drawn."""
