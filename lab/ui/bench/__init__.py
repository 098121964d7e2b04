"""The experiment bench that every exercise shares: pick, see, launch, watch, chat."""
