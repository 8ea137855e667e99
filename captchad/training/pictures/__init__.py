"""Pictures of known text to learn from: drawn here in many styles, or by generators that others published."""
