"""How much is answered: to one token, to one address, and to all together."""
