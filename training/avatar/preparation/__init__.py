"""From a film of a person to footage that an avatar can be learnt from."""
