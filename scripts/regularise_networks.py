"""Fine-tuning of every network of a cell in one mode, and the same measures afterwards as before."""

from _job import logged
from slowpoints import load_images, load_networks, measure_accuracy, measure_memory, measure_slow_points, save_networks
from slowpoints.devices import chosen_device
from slowpoints.modes import mode_parts
from slowpoints.regularisation import regularise
from slowpoints.resume import ResumeAt
from slowpoints.storage import read_table, with_cell, write_table

with logged(snakemake):
    preset = snakemake.params.preset
    mode, weight = mode_parts(snakemake.wildcards.mode, preset["regularisation"]["lambda"])
    train, test = (load_images(snakemake.input[part]) for part in ("train", "test"))
    resume = ResumeAt.beside(snakemake.output.weights, float(snakemake.config["resume_minutes"]))
    networks, history = regularise(
        load_networks(snakemake.input.weights, chosen_device(snakemake.config["device"])),
        train,
        read_table(snakemake.input.slow_points),
        mode=mode,
        weight=weight,
        training=preset["training"],
        search=preset["slow_points"],
        settings=preset["regularisation"],
        resume=resume,
    )
    memory = preset["memory"]
    points = measure_slow_points(networks, train, preset["slow_points"], longest_delay=max(memory["delays"]))
    tables = {
        "accuracy": measure_accuracy(networks, test, n_images=memory["n_images"]),
        "extrapolation": measure_memory(networks, test, **memory),
        "slow_points": points.slow_points,
        "spectrum": points.spectrum,
    }
    for kind, table in tables.items():
        write_table(with_cell(table, kind, networks.spec, mode, weight), snakemake.output[kind], kind=kind)
    write_table(history, snakemake.output.training, kind="training")
    save_networks(networks, snakemake.output.weights)
    resume.done()
