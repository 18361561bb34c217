"""Fine-tuning of every network of a cell in one mode, and the same measures afterwards as before."""

from pathlib import Path

from _job import logged
from slowpoints import load_images, measure_accuracy, measure_memory, measure_slow_points, save_networks
from slowpoints.core.costs import write_cost
from slowpoints.core.devices import chosen_device, device_name
from slowpoints.core.modes import write_lambda
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.presets.training import Training
from slowpoints.core.schemas.memory import ACCURACY, EXTRAPOLATION
from slowpoints.core.schemas.slow_points import RELAXATION, SLOW_POINTS, SPECTRUM
from slowpoints.core.schemas.training import TRAINING
from slowpoints.core.tables import with_cell, write_table
from slowpoints.measures.points import read_points
from slowpoints.networks.seed_blocks import load_seed_block
from slowpoints.task.protocol import protocol_of
from slowpoints.training.checkpoint import ResumeAt
from slowpoints.training.fine_tuning import regularise
from slowpoints.training.stopwatch import Stopwatch

with logged(snakemake):
    params, output = snakemake.params, snakemake.output
    train, test = (load_images(snakemake.input[part]) for part in ("train", "test"))
    search, memory = Search.of(params.slow_points), params.memory
    resume = ResumeAt.beside(output.weights, float(snakemake.config["resume_minutes"]), params.code)
    trained = load_seed_block(snakemake.input.weights, chosen_device(snakemake.config["device"]))
    settings, watch = Regularisation.of(params.regularisation), Stopwatch()
    networks, history = regularise(
        trained,
        train,
        read_points(snakemake.input.slow_points, trained),
        training=Training.of(params.training),
        search=search,
        settings=settings,
        mode=params.mode,
        lambda_=params.lambda_,
        protocol=protocol_of(params.protocol),
        longest_delay=max(memory["delays"]),
        resume=resume,
        watch=watch,
    )
    write_cost(
        output.cost,
        mode=params.mode,
        lambda_=params.lambda_,
        steps=settings.steps_of(params.mode),
        networks=len(networks),
        seconds=watch.seconds,
        device=device_name(networks.device.type),
    )
    full = settings.measure == "full"
    points = measure_slow_points(networks, train, search, longest_delay=max(memory["delays"]), full=full)
    for schema, table in (
        (ACCURACY, measure_accuracy(networks, test, n_images=memory["n_images"])),
        (EXTRAPOLATION, measure_memory(networks, test, **memory)),
        (SLOW_POINTS, points.slow_points),
        (SPECTRUM, points.spectrum),
        (RELAXATION, points.relaxation),
    ):
        table = with_cell(table, schema, networks.spec, params.mode, params.lambda_)
        write_table(table, output[schema.name], schema, class_names=test.class_names)
    write_table(history, output.training, TRAINING)
    save_networks(networks, output.weights, params.mode, params.lambda_)
    write_lambda(Path(output.weights).parents[1], params.lambda_)
    resume.done()
