# What jobs need, from the sizes of their data set: starting points that grow with each attempt. Constants were fitted
# to measured jobs (docs/cluster.md), with room to spare; those of GPUs are still to be seen on one.
PIXELS = {
    "digits": 8 * 8,
    "idx": 28 * 28,
}  # by kind of source; 3 x 32 x 32, the most that ship, for others
CPU_SECONDS, GPU_SECONDS = 2e-10, 1e-12  # for each multiply-add
BASE_MB, BASE_MINUTES = 2000, 20  # Python, PyTorch, the images
FRONT_ROWS = 1024  # images that go through a front end at once where no gradient is taken


def on_gpu():
    return STUDY.config["device"] != "cpu"


def front_end_load(wildcards):
    """Numbers held, and multiply-adds, for one image in the front end."""
    front_end = STUDY.presets[wildcards.dataset]["network"]["front_end"]
    if front_end is None:
        return 0, 0
    maps = [32 * 32 / 4**layer * filters for layer, filters in enumerate(front_end["filters"])]
    before = [3, *front_end["filters"]]
    return 6 * sum(maps), sum(9 * size * filters for size, filters in zip(maps, before))


def training_load(wildcards):
    """Numbers held for a training step of one network, and its multiply-adds."""
    chosen = STUDY.presets[wildcards.dataset]
    training, columns = chosen["training"], 4 * chosen["network"]["hidden"]
    batch, pixels = training["batch_size"], PIXELS.get(chosen["source"]["kind"], 3 * 32 * 32)
    frames = (20 * batch if training["noise"] == "fresh" else training["bank"]) + batch
    held, work = front_end_load(wildcards)
    numbers = frames * (2 * pixels + 2 * columns + held) + 20 * batch * 3 * columns
    products = frames * (pixels * columns + work) + 20 * batch * columns**2 / 4
    return numbers, 3 * products


def training_minutes(steps):
    """Time for so many steps of all networks of a block, as a section of the preset says."""

    def minutes(wildcards):
        count = STUDY.presets[wildcards.dataset][steps]["steps"] * len(block_seeds(wildcards))
        seconds = count * training_load(wildcards)[1] * (GPU_SECONDS if on_gpu() else CPU_SECONDS)
        return BASE_MINUTES + seconds / 60

    return minutes


def training_memory(wildcards):
    if on_gpu():  # the host holds images, snapshots and resume files
        return 3 * BASE_MB
    return BASE_MB + len(block_seeds(wildcards)) * training_load(wildcards)[0] * 8e-6


def measuring_memory(wildcards):
    """For Hessians at all points, trials of all networks, and images in a front end."""
    chosen = STUDY.presets[wildcards.dataset]
    networks, hidden = len(block_seeds(wildcards)), chosen["network"]["hidden"]
    coordinates = hidden * (2 if wildcards.architecture == "lstm" else 1)
    points = networks * chosen["source"]["classes"]
    trials = networks * chosen["memory"]["n_images"]
    numbers = (
        2 * 8 * points * coordinates**2
        + FRONT_ROWS * front_end_load(wildcards)[0]
        + trials * 16 * hidden
    )
    return BASE_MB + numbers * 4e-6


def searching_minutes(wildcards):
    """For the authors' descent and the deep search, and lifetimes."""
    chosen, search = (
        STUDY.presets[wildcards.dataset],
        STUDY.presets[wildcards.dataset]["slow_points"],
    )
    hidden = chosen["network"]["hidden"]
    points = len(block_seeds(wildcards)) * chosen["source"]["classes"]
    work = points * 8 * hidden**2 * (search["adam_steps"] + search["max_iterations"] * 4 * hidden)
    return BASE_MINUTES + work * CPU_SECONDS / 60


def fine_tuning_minutes(wildcards):
    """Fine-tuning, and the measures after it."""
    return training_minutes("regularisation")(wildcards) + searching_minutes(wildcards)


def fine_tuning_memory(wildcards):
    return max(training_memory(wildcards), measuring_memory(wildcards))


def training_gpus(wildcards):
    return 1 if on_gpu() else 0


def grown(need):
    """A resource that grows with each attempt at a job; a number, or a function of the wildcards."""

    def resource(wildcards, attempt):
        return int((need(wildcards) if callable(need) else need) * attempt)

    return resource
