"""The model's data and training: pictures of known text, the network, its trainer and its export (extra `train`)."""
