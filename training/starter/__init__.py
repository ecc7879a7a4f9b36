"""The small models that come with the platform, each rebuilt by one command."""
