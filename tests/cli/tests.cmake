# Tests labelled cli.
