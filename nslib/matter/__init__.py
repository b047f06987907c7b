"""Dense matter: one energy density a model, everything else derived from it; the EOS object."""
