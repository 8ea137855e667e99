"""With which code a process of captchad ends; who starts it again goes by the same."""

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_WRONG_USAGE = 2
