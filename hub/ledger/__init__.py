"""Facts: what happened, who did it and when, written in the transaction that did it."""
