"""Sites of real generators that verify every answer, and what `captchad learn` makes of their labels."""
