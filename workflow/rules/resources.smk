# Resources of jobs, estimated from the sizes of data set and study; they grow with each attempt. Constants were fitted
# to measured jobs (docs/cluster.md), with a margin; those of GPUs have not been measured.
from slowpoints.task.curricula import snapshot_steps, stages
from slowpoints.task.timing import FRAMES

USUAL_IMAGE = {"idx": (28, 28, 1)}  # by kind of source, if only the files give the size
# Of the largest supplied data sets, for other kinds.
LARGEST_IMAGE, MOST_IMAGES = (32, 32, 3), 70_000
CPU_SECONDS, GPU_SECONDS = 2e-10, 1e-12  # for each multiply-add
BASE_MB, BASE_MINUTES = 2000, 5  # Python, PyTorch, the images; starting up on a slow disk
# Likewise for tables and figures, which do not load PyTorch; on a cluster, a job runs two of them at a time.
LIGHT_MB, LIGHT_MINUTES = 1700, 3
FRONT_END_CHUNK = 1024  # images per pass through a front end without gradients
LIFETIME_CAP = 10  # lifetimes are followed up to this multiple of the longest delay


TRAINING_GPUS = 0 if STUDY.config["device"] == "cpu" else 1


def grown(base, *needs):
    """A resource that grows with each attempt at a job: a base and functions of the wildcards that add to it."""

    def resource(wildcards, attempt):
        return int((base + sum(need(wildcards) for need in needs)) * attempt)

    return resource


def megabytes(*needs):
    return grown(BASE_MB, *needs)


def minutes(*needs):
    return grown(BASE_MINUTES, *needs)


def working_minutes(multiply_adds, seconds=CPU_SECONDS):
    return multiply_adds * seconds / 60


def image_size(source):
    """Height times width of an image, and its channels."""
    height, width, channels = source.image_shape or USUAL_IMAGE.get(source.kind, LARGEST_IMAGE)
    return height * width, channels


def pixels(source):
    """Numbers in an image."""
    area, channels = image_size(source)
    return area * channels


def images(source):
    """Images of a data set, or as many as the largest that ships has."""
    counts = {"digits": 1797, "glyphs": source.n_train + source.n_test}
    return counts.get(source.kind, MOST_IMAGES)


def preparing_mb(wildcards):
    """For images of the largest data set as bytes, twice, and as float64 once."""
    sources = [preset.source for preset in STUDY.presets.values()]
    return max(10 * images(source) * pixels(source) for source in sources) * 1e-6


def preparing_minutes(wildcards):
    files = len(STUDY.files[wildcards.dataset])  # one per image for some sources
    return images(STUDY.presets[wildcards.dataset].source) / 20_000 + files / 20_000


def front_end_load(chosen):
    """Numbers held, and multiply-adds, for one image in the front end."""
    layers = chosen.network.front_end
    if layers is None:
        return 0, 0
    area, channels = image_size(chosen.source)
    maps = [area / 4**layer * filters for layer, filters in enumerate(layers.filters)]
    before = [channels, *layers.filters]
    kept = 6  # tensors of a map's size, including those for the gradient
    return kept * sum(maps), sum(9 * size * filters for size, filters in zip(maps, before))


def columns(wildcards):
    """Columns of the weights of a network's recurrent units."""
    return units()[wildcards.architecture].gates * STUDY.presets[wildcards.dataset].network.hidden


def coordinates(wildcards):
    """Length of a state."""
    return units()[wildcards.architecture].parts * STUDY.presets[wildcards.dataset].network.hidden


def points(wildcards):
    """Number of slow points of a seed block."""
    return len(seeds_of_block(wildcards)) * STUDY.presets[wildcards.dataset].source.classes


def training_load(wildcards):
    """Numbers held for a training step of one network, and its multiply-adds."""
    chosen, width = STUDY.presets[wildcards.dataset], columns(wildcards)
    batch, inputs = chosen.training.batch_size, pixels(chosen.source)
    rows = (FRAMES * batch if chosen.training.noise == "fresh" else chosen.training.bank) + batch
    held, work = front_end_load(chosen)
    numbers = rows * (2 * inputs + 2 * width + held) + FRAMES * batch * 3 * width
    products = rows * (inputs * width + work) + FRAMES * batch * width * chosen.network.hidden
    return numbers, 3 * products


def optimising_minutes(wildcards, steps):
    """For a number of steps of all networks of a seed block."""
    work = steps * len(seeds_of_block(wildcards)) * training_load(wildcards)[1]
    return working_minutes(work, GPU_SECONDS if TRAINING_GPUS else CPU_SECONDS)


def training_minutes(wildcards):
    return optimising_minutes(wildcards, STUDY.presets[wildcards.dataset].training.steps)


def training_mb(wildcards):
    if TRAINING_GPUS:  # the host memory holds images, snapshots and resume files
        return 2 * BASE_MB
    return len(seeds_of_block(wildcards)) * training_load(wildcards)[0] * 8e-6


def measuring_mb(wildcards):
    """For Hessians at all points, trials of all networks, and images in a front end."""
    chosen = STUDY.presets[wildcards.dataset]
    trials = len(seeds_of_block(wildcards)) * chosen.memory.n_images
    hessians = 2 * 8 * points(wildcards) * coordinates(wildcards) ** 2
    front_end = FRONT_END_CHUNK * front_end_load(chosen)[0]
    numbers = hessians + front_end + trials * 4 * columns(wildcards)
    return numbers * 4e-6


def retrieving_minutes(wildcards):
    """For the roll-out to the longest delay."""
    chosen, width = STUDY.presets[wildcards.dataset], columns(wildcards)
    trials = len(seeds_of_block(wildcards)) * chosen.memory.n_images
    bank = chosen.memory.noise == "bank"
    a_frame = width * (chosen.network.hidden + (0 if bank else pixels(chosen.source)))
    front_end = (
        len(seeds_of_block(wildcards))
        * (chosen.memory.bank if bank else 0)
        * front_end_load(chosen)[1]
    )
    accuracy = trials * FRAMES * (front_end_load(chosen)[1] + width * pixels(chosen.source))
    return working_minutes(2 * trials * max(chosen.memory.delays) * a_frame + front_end + accuracy)


def hessian_load(wildcards):
    """Multiply-adds of one Hessian of every point and the steps taken with it."""
    return 32 * points(wildcards) * coordinates(wildcards) ** 3


def searching_minutes(wildcards):
    """For the authors' descent, the deep search, the lifetimes from centres and slow points, and what noise does."""
    chosen = STUDY.presets[wildcards.dataset]
    steps = 2 * chosen.slow_points.adam_steps + 2 * LIFETIME_CAP * max(chosen.memory.delays)
    descent = points(wildcards) * columns(wildcards) * chosen.network.hidden * steps
    return working_minutes(descent + chosen.slow_points.max_iterations * hessian_load(wildcards))


def tracking_minutes(wildcards):
    """For two searches in each snapshot, there and back."""
    chosen = STUDY.presets[wildcards.dataset]
    plan = stages(PROTOCOLS[wildcards.protocol], chosen.training, chosen.source.classes)
    searches = 2 * len(snapshot_steps(plan, chosen.formation.snapshots))
    return working_minutes(searches * chosen.formation.max_iterations * hessian_load(wildcards))


def fine_tuning_minutes(wildcards):
    steps = fine_tuning_settings(wildcards)["steps"]
    return optimising_minutes(wildcards, steps) * trial_lengths(wildcards)


def fine_tuning_mb(wildcards):
    return max(training_mb(wildcards) * trial_lengths(wildcards), measuring_mb(wildcards))


def trial_lengths(wildcards):
    """Length of a trial while fine-tuning, in those of the task."""
    tuned = tuning(wildcards)
    return tuned.lambda_ / FRAMES if tuned.mode == "long_delays" else 1


def networks():
    """Networks of the study, as trained and as fine-tuned."""
    return sum(len(layout.seeds_of_block(at["block"])) * (1 + len(modes)) for at, modes in grid())


def gathering_mb(wildcards):
    return networks()  # a MB each


def gathering_minutes(wildcards):
    return networks() / 500


def resampling_minutes(wildcards):
    return networks() / 50
