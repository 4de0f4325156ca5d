"""Live views: samples from the tail of the stream to whoever watches."""
