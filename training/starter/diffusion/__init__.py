"""The starter diffusion model: it draws what the painter draws, from Chinese and English prompts."""
