"""The template's machinery: edit it, and updates will ask you about it. What is yours lies one folder up."""
