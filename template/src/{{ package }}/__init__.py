"""The model, from data to service; `cli.py` lists what it can do."""
