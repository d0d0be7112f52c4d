"""One job on embedded defaults: from the comment to the draft pull request."""
