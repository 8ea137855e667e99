"""The routes every role serves for those who operate it, and the rule on where it may listen."""
