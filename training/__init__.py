"""Everything that learns or judges a model: backbones, export, evaluation."""
