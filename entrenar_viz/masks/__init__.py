"""From weights to masks: activations, scores, prune order, and what is lost at each sparsity.

Nothing here knows schedules.
"""
