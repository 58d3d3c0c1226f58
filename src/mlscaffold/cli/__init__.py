"""The command line: arguments, questions, tables. What is done is done elsewhere."""
