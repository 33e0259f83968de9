"""Outside the journey: previews, checks and imports that an operator asks for."""
