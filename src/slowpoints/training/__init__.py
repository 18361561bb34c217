"""Training and fine-tuning of ensembles, with penalties, resume files and CUDA graphs."""
