"""Google's Gemini image models as a try-on engine."""
