"""The starter language model: a small causal LM that writes stories and livestream copy in Chinese and English."""
