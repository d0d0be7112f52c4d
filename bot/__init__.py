"""ptq: a GitHub App that reproduces, explains and fixes PyTorch issues on a GPU machine."""
