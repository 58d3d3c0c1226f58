"""What depends on the task: the target, the examples, the answer, and the figures of the card."""
