"""What Prometheus reads: the ledger of samples, the stream's lag, and what this process measures of itself."""
