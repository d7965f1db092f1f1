"""Making the embedded default models: simulated sites rendered by `simulation`, networks trained by `training`."""
