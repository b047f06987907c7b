"""Dense-matter physics and network training behind a literate compendium.

Importing ``nslib`` switches JAX to float64; this is its only global effect.
"""

import jax

jax.config.update("jax_enable_x64", True)

__version__ = "0.1.0"
