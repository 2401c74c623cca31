"""Which layer of a model gives how much: sensitivity, allocation of a budget, plans. Nothing here trains or prunes."""
