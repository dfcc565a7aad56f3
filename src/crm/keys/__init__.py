"""The two keys that every other secret hangs on: given by the environment, or made once in a file."""
