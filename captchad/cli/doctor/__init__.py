"""`captchad doctor`: a file for each part of the machine it looks at."""
