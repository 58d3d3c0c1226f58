"""What is published about mlscaffold: the explorer and the guide."""
