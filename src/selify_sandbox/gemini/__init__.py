"""A stand-in for the Gemini API with image models."""
