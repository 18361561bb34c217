# What jobs need, from the sizes of their data set: starting points that grow with each attempt.
BASE_MB = 1500  # Python, PyTorch and the images
STEP_SECONDS = 1e-10  # CPU time of a training step for each multiply-add, with room


def training_load(wildcards):
    """Networks of the block, numbers held for a step of one of them, and its multiply-adds, roughly."""
    chosen = STUDY.presets[wildcards.dataset]
    network, training = chosen["network"], chosen["training"]
    hidden, batch = network["hidden"], training["batch_size"]
    pixels = 3 * 32 * 32  # at most, of the data sets that ship
    frames = batch * (21 if training["noise"] == "fresh" else 1)
    if training["noise"] == "bank":
        frames += training["bank"]
    columns = 4 * hidden
    front = network["front_end"] or {"filters": [], "dense": []}
    maps = sum(32 * 32 * filters / 4**layer for layer, filters in enumerate(front["filters"]))
    numbers = frames * (2 * pixels + columns + 6 * maps) + 20 * batch * 3 * columns
    products = 3 * (frames * pixels * columns + 20 * batch * hidden * columns)
    products += 27 * frames * sum(maps / 4 * filters for filters in front["filters"])
    return len(block_seeds(wildcards)), numbers, products


def training_memory(wildcards):
    networks, numbers, _ = training_load(wildcards)
    return int(BASE_MB + networks * numbers * 4 / 1e6 * 2)


def training_minutes(wildcards):
    networks, _, products = training_load(wildcards)
    steps = STUDY.presets[wildcards.dataset]["training"]["steps"]
    return int(30 + networks * steps * products * STEP_SECONDS / 60)


def training_gpus(wildcards):
    return 0 if STUDY.config["device"] == "cpu" else 1


def grown(need):
    """A resource that grows with each attempt at a job."""

    def resource(wildcards, attempt):
        return need(wildcards) * attempt

    return resource
