"""What is true of the business: aggregates, their events and their rules. Nothing here knows SQL or HTTP.

What all of them are is in `registry`, which is not read here: who needs only one file of these shall not read them all.
"""
