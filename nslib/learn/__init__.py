"""Networks: one training loop, shipped weights with their forward pass in JAX, and what each chapter learns."""
