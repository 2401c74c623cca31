"""What a schedule does in a training: its updates, findings with fixes, advice, comparison. Nothing here draws."""
