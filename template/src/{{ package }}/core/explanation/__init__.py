"""Why a model answers as it does: contributions of the inputs, and what would change the answer."""
