"""What all tests of the training share."""

import torch

# These networks are so small that threads waiting for each other cost more than they do.
torch.set_num_threads(1)
