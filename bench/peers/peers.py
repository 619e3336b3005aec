#!/usr/bin/env python3
"""EdgeFlex beside other tools: the same checkpoint, the same images, one thread, fresh processes in turn.

    python3 bench/peers/peers.py --model <folder> --data <folder of CIFAR-10's binary files> [--images 1000] [-o table.md]

Makes a Python environment on the first call (bench/peers/.venv, or where --venv says), lets every tool make its model from the
checkpoint, checks that all start from the same float32 model, and writes a Markdown table. A tool that fails gets a row that says so.
The harness must be built (npm run build).
"""
import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
BATCH = 8
RECORD = 3073
MIB = 1024**2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', type=pathlib.Path, required=True, help='a folder as Transformers saves it')
    parser.add_argument('--data', type=pathlib.Path, required=True, help="CIFAR-10's binary files")
    parser.add_argument('--images', type=int, default=1000, help='test images that are scored')
    parser.add_argument('--rounds', type=int, default=5, help='fresh processes in which each model is timed')
    parser.add_argument('--seconds', type=float, default=3, help='how long a model is timed in each')
    parser.add_argument('--only', nargs='*', default=[], help='words of which a name must contain one')
    parser.add_argument('--venv', type=pathlib.Path, default=here / '.venv')
    parser.add_argument('-o', '--output', type=pathlib.Path, help='where the table goes as well')
    return parser.parse_args()


def within_environment(path):
    """Runs this script again in a Python environment that has the tools."""
    python = path / 'bin' / 'python'
    wanted = (here / 'requirements.txt').read_text()
    stamp = path / 'installed.txt'
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f'installing the tools into {path}', file=sys.stderr)
        venv.create(path, with_pip=True, clear=True)
        subprocess.run([python, '-m', 'pip', 'install', '-q', '-r', here / 'requirements.txt'], check=True)
        stamp.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])


def records(path, count):
    """Labels and pixels of the first images of a file of CIFAR-10's binary layout."""
    import numpy as np

    raw = np.fromfile(path, np.uint8, count * RECORD).reshape(-1, RECORD)
    return raw[:, 0], raw[:, 1:].reshape(-1, 3, 32, 32)


def preprocessed(graph, pixels):
    """Images as the model reads them, by the graph that EdgeFlex wrote for its preprocessing."""
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(str(graph))
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: part})[0] for part in np.split(pixels, len(pixels) // BATCH)])


def worker(task):
    command = [sys.executable, str(here / 'worker.py'), json.dumps(task)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def bytes_of(model):
    """Of a model's files: weights may lie beside the graph."""
    beside = [pathlib.Path(f'{model}.data'), model.with_suffix('.bin')]
    return sum(path.stat().st_size for path in [model, *beside] if path.exists())


def reason(error):
    """The last line of what went wrong."""
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[-1][:120]


def main():
    options = arguments()
    if pathlib.Path(sys.prefix).resolve() != options.venv.resolve():
        within_environment(options.venv)
    os.environ['ORT_DISABLE_TELEMETRY'] = '1'
    with tempfile.TemporaryDirectory(prefix='peers-') as work:
        measure(options, pathlib.Path(work))


def measure(options, work):
    import numpy as np

    from variants import CALIBRATION_IMAGES, VARIANTS, Setting, edgeflex

    images = options.images // BATCH * BATCH
    labels = (options.data / 'batches.meta.txt').read_text().split()
    config = json.loads((options.model / 'config.json').read_text())
    if [config['id2label'][str(i)] for i in range(len(labels))] != labels:
        sys.exit(f'error: {options.model} has other classes than the images: {labels}')
    model, data = options.model.resolve(), options.data.resolve()
    setting = Setting(root, model, data, work, None)
    fp32 = work / 'fp32'
    fp32.mkdir()
    edgeflex(None)(setting, fp32)
    truth, pixels = records(data / 'test_batch.bin', images)
    test = work / 'test.npy'
    np.save(test, preprocessed(fp32 / 'out' / 'preprocess.onnx', pixels))
    _, pixels = records(data / 'data_batch_1.bin', CALIBRATION_IMAGES)
    setting.calibration = preprocessed(fp32 / 'out' / 'preprocess.onnx', pixels)

    names = [name for name in VARIANTS if not options.only or any(word in name for word in options.only)]
    # Peers start from the export; EdgeFlex's own float32 is what all is compared with.
    first = [name for name in VARIANTS if name == 'EdgeFlex fp32' or name.startswith('PyTorch export')]
    rows, failed = {}, {}
    for at, name in enumerate(dict.fromkeys([*first, *names])):
        folder = work / str(at)
        folder.mkdir()
        print(f'making {name}', file=sys.stderr, flush=True)
        began = time.perf_counter()
        try:
            kind, path = VARIANTS[name](setting, folder)
            seconds = time.perf_counter() - began
            task = {'kind': kind, 'model': str(path), 'images': str(test), 'batch': BATCH}
            scored = worker({**task, 'threads': os.cpu_count()})
            rows[name] = {'task': task, 'seconds': seconds, 'bytes': bytes_of(path), 'classes': scored['classes']}
        except Exception as error:
            failed[name] = reason(error)
            print(f'  failed: {failed[name]}', file=sys.stderr)
    reference = rows[first[0]]['classes']
    export = rows[first[1]]['classes'] if first[1] in rows else reference
    apart = sum(a != b for a, b in zip(reference, export))
    if apart > images / 500:
        sys.exit(f'error: the export and EdgeFlex differ in float32 on {apart} of {images} images')

    load = os.getloadavg()[0]
    rounds = timed_in_turn(rows, options)
    lines = table(rows, failed, rounds, truth, options, images)
    lines += ['', *conditions(options, images, load)]
    print('\n'.join(lines))
    if options.output:
        options.output.write_text('\n'.join(lines) + '\n')


def timed_in_turn(rows, options):
    """Each model in a fresh process a round, in an order drawn anew."""
    order = random.Random(1)
    rounds = []
    for turn in range(options.rounds):
        print(f'round {turn + 1} of {options.rounds}', file=sys.stderr, flush=True)
        names = list(rows)
        order.shuffle(names)
        rounds.append({name: worker({**rows[name]['task'], 'threads': 1, 'seconds': options.seconds}) for name in names})
    return rounds


def table(rows, failed, rounds, truth, options, images):
    lines = [
        '| model | top-1 % | points to fp32 (only fp32 right, only this) | ms a batch | × fp32 | CPU × fp32 | peak MiB | file MiB | made in s |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ]
    base = 'EdgeFlex fp32'
    right = [a == b for a, b in zip(rows[base]['classes'], truth)]
    for name, row in rows.items():
        own = [a == b for a, b in zip(row['classes'], truth)]
        lost = sum(a and not b for a, b in zip(right, own))
        won = sum(b and not a for a, b in zip(right, own))
        milliseconds = statistics.median(each[name]['milliseconds'] for each in rounds)
        ratio, processor = (
            statistics.geometric_mean(each[base][key] / each[name][key] for each in rounds)
            for key in ('milliseconds', 'processor')
        )
        peak = statistics.median(each[name]['peak'] for each in rounds)
        lines.append(
            f'| {name} | {100 * sum(own) / images:.1f} | {100 * (won - lost) / images:+.1f} ({lost}, {won}) | {milliseconds:.1f} '
            f'| {ratio:.2f} | {processor:.2f} | {peak:.0f} | {row["bytes"] / MIB:.1f} | {row["seconds"]:.0f} |'
        )
    lines += [f'| {name} | failed: {why} | | | | | | | |' for name, why in failed.items()]
    return lines


def conditions(options, images, load):
    import numpy
    import nncf
    import onnxruntime
    import openvino
    import torch

    with open('/proc/cpuinfo') as file:
        text = file.read()
    processor = next((line.split(':')[1].strip() for line in text.splitlines() if line.startswith('model name')), platform.machine())
    flags = [flag for flag in ('avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8') if f' {flag} ' in text.replace('\n', ' ')]
    tools = {'onnxruntime': onnxruntime, 'openvino': openvino, 'nncf': nncf, 'torch': torch, 'numpy': numpy}
    versions = ', '.join(f'{name} {module.__version__.split("-")[0]}' for name, module in tools.items())
    return [
        f'{options.model.name}: the first {images} test images; calibration on training images alone. One thread, batch {BATCH}; '
        f'{options.rounds} rounds of fresh processes in random order, {options.seconds:g} s each; times are medians, ratios geometric means '
        'of the rounds. Peak: of loading and the first run, over the process with its libraries. Made: from the exported model, or the '
        f"checkpoint with EdgeFlex, with all threads. {processor} ({', '.join(flags)}), load {load:.1f} before and {os.getloadavg()[0]:.1f} "
        f'after; Python {platform.python_version()}, {versions}.',
    ]


main()
