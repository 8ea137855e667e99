"""The one spelling in which captchad's model knows a sign that has several."""

OWN_SPELLINGS = {"*": "×", "✕": "×", "−": "-", "–": "-", ":": "÷"}
