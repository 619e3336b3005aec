#!/usr/bin/env python3
"""EdgeFlex beside other tools: the same checkpoint, the same images, one thread, fresh processes in turn.

    python3 bench/peers/peers.py --model <folder> --data <folder of CIFAR-10's binary files> [--models <folder>] [--isa avx2] [-o table.md]

Makes a Python environment on the first call (bench/peers/.venv, or where --venv says), lets every tool make its model from the
checkpoint, checks that all start from the same float32 model, and writes a Markdown table. A tool that fails gets a row that says so.
With --models, models are kept, and used again as long as nothing changed that they are made from; --make-only stops when all are made.
With --isa avx2, ONNX Runtime and OpenVINO choose the kernels that a processor with AVX2 and nothing newer would get.
The harness must be built (npm run build).
"""
import argparse
import dataclasses
import functools
import importlib.metadata
import json
import os
import pathlib
import platform
import random
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import venv

import isa
from store import Store, bytes_of, digest_of_files

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
    parser.add_argument('--models', type=pathlib.Path, help='where models are kept for further calls')
    parser.add_argument('--make-only', action='store_true', help='make the models, and neither score nor time them')
    parser.add_argument('--isa', choices=['native', 'avx2'], default='native', help="whose kernels: this processor's, or those for AVX2")
    parser.add_argument('-o', '--output', type=pathlib.Path, help='where the table goes as well')
    options = parser.parse_args()
    if options.make_only and options.models is None:
        parser.error('--make-only: --models says where they are kept')
    return options


def within_environment(path):
    """Runs this script again in a Python environment that has the tools."""
    python = path / 'bin' / 'python'
    lists = {here / 'requirements.txt': [], here / 'requirements-alone.txt': ['--no-deps']}
    wanted = ''.join(path.read_text() for path in lists)
    stamp = path / 'installed.txt'
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f'installing the tools into {path}', file=sys.stderr)
        venv.create(path, with_pip=True, clear=True)
        for path, options in lists.items():
            subprocess.run([python, '-m', 'pip', 'install', '-q', *options, '-r', path], check=True)
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


def in_process(script, task):
    """What a script of this folder answers to a task, in a fresh process."""
    # A limited copy of a package comes before the one that is installed.
    environment = {**os.environ, **({'PYTHONPATH': task['limited']} if 'limited' in task else {})}
    command = [sys.executable, str(here / script), json.dumps(task)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def reason(error):
    """The last line of what went wrong."""
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) and error.stderr else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[-1].removeprefix('isa.NotLimited: ')[:200]


def main():
    options = arguments()
    if pathlib.Path(sys.prefix).resolve() != options.venv.resolve():
        within_environment(options.venv)
    os.environ['ORT_DISABLE_TELEMETRY'] = '1'
    # What is half made is removed also when it is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix='peers-') as work:
        measure(options, pathlib.Path(work))


def made_from(variant, name, setting, checkpoint, data):
    """All that determines a model: an entry of the store is known by it."""
    installed = {each.metadata['Name']: each.version for each in importlib.metadata.distributions()}
    common = {'name': name, 'checkpoint': checkpoint, 'maker': digest_of_files(here / ('edgeflex.py' if variant.own else 'variants.py'))}
    if not variant.own:
        calibration = setting.calibration and digest_of_files(setting.calibration)
        return {**common, 'python': platform.python_version(), 'installed': installed, 'calibration': calibration}
    recipe = variant.recipe and (root / 'suites' / 'recipes' / f'{variant.recipe}.yaml').read_text()
    harness = digest_of_files(root / 'dist' / 'command', root / 'dist' / 'agent', root / 'package-lock.json')
    return {**common, 'recipe': recipe, 'harness': harness, 'data': data}


class Maker:
    """Makes models, or takes them from the store."""

    def __init__(self, options, work):
        self.store = Store((options.models or work / 'models').resolve())
        self.checkpoint, self.data = (digest_of_files(path) for path in (options.model, options.data))
        self.known = {}

    def __call__(self, name, variant, setting):
        """The file of a variant's model, and what making it took."""
        if name not in self.known:
            self.known[name] = self.obtained(name, variant, setting)
        return self.known[name]

    def obtained(self, name, variant, setting):
        paths = {key: value and str(value) for key, value in dataclasses.asdict(setting).items()}

        def made(folder):
            print(f'making {name}', file=sys.stderr, flush=True)
            return in_process('maker.py', {'name': name, 'folder': str(folder), 'setting': paths})

        folder, record = self.store.obtain(made_from(variant, name, setting, self.checkpoint, self.data), made)
        return folder / record['file'], record


def measure(options, work):
    import numpy as np

    from setting import Setting
    from variants import CALIBRATION_IMAGES, EXPORT, FLOAT, variants_for

    limited = {} if options.isa == 'native' else limits(work / 'limited')
    images = options.images // BATCH * BATCH
    labels = (options.data / 'batches.meta.txt').read_text().split()
    config = json.loads((options.model / 'config.json').read_text())
    if [config['id2label'][str(i)] for i in range(len(labels))] != labels:
        sys.exit(f'error: {options.model} has other classes than the images: {labels}')
    make = Maker(options, work)
    setting = Setting(root, options.model.resolve(), options.data.resolve())
    variants = variants_for(isa.processor_flags(), options.isa)
    float32, _ = make(FLOAT, variants[FLOAT], setting)
    truth, pixels = records(options.data / 'test_batch.bin', images)
    preprocess = float32.parent / 'preprocess.onnx'
    test, calibration = work / 'test.npy', work / 'calibration.npy'
    np.save(test, preprocessed(preprocess, pixels))
    np.save(calibration, preprocessed(preprocess, records(options.data / 'data_batch_1.bin', CALIBRATION_IMAGES)[1]))
    setting = dataclasses.replace(setting, calibration=calibration)
    setting = dataclasses.replace(setting, export=make(EXPORT, variants[EXPORT], setting)[0])

    # Peers start from the export; EdgeFlex's own float32 is what all is compared with.
    names = [name for name in variants if not options.only or any(word in name for word in options.only)]
    rows, failed = {}, {}
    for name in dict.fromkeys([FLOAT, EXPORT, *names]):
        variant = variants[name]
        try:
            same = variant.model_of or name
            path, record = make(same, variants[same], setting)
            task = {'package': variant.package, 'precision': variant.precision, 'model': str(path), 'images': str(test), 'batch': BATCH}
            if variant.package in limited:
                task['limited'] = limited[variant.package]()
            if not options.make_only:
                scored = in_process('worker.py', {**task, 'threads': os.cpu_count()})
                rows[name] = {'task': task, 'made': record, 'bytes': bytes_of(path), **scored}
        except Exception as error:
            failed[name] = reason(error)
            print(f'  failed: {failed[name]}', file=sys.stderr)
    if options.make_only:
        return
    for name in (FLOAT, EXPORT):
        if name in failed:
            sys.exit(f'error: {name}: {failed[name]}')
    apart = sum(a != b for a, b in zip(rows[FLOAT]['classes'], rows[EXPORT]['classes']))
    if apart > images / 500:
        sys.exit(f'error: the export and EdgeFlex differ in float32 on {apart} of {images} images')

    load = os.getloadavg()[0]
    rounds = timed_in_turn(rows, options)
    lines = table(rows, failed, rounds, truth, images)
    lines += ['', *conditions(options, rows, images, load), '', *kernels_of(rows)]
    print('\n'.join(lines))
    if options.output:
        options.output.write_text('\n'.join(lines) + '\n')


def limits(folder):
    """For each package the function that gives the folder of its limited copy, or throws why there is none."""
    try:
        isa.check_processor(isa.processor_flags())
    except isa.NotLimited as error:
        sys.exit(f'error: --isa avx2: {error}')
    installed = pathlib.Path(sysconfig.get_path('platlib'))

    def copy_of(package):
        copy = folder / package
        isa.limit(package, installed, copy)
        return str(copy)

    return {package: functools.cache(functools.partial(copy_of, package)) for package in isa.PLACES}


def timed_in_turn(rows, options):
    """Each model in a fresh process a round, in an order drawn anew."""
    order = random.Random(1)
    rounds = []
    for turn in range(options.rounds):
        print(f'round {turn + 1} of {options.rounds}', file=sys.stderr, flush=True)
        names = list(rows)
        order.shuffle(names)
        task = {'threads': 1, 'seconds': options.seconds}
        rounds.append({name: in_process('worker.py', {**rows[name]['task'], **task}) for name in names})
    return rounds


def table(rows, failed, rounds, truth, images):
    from variants import FLOAT

    lines = [
        '| model | top-1 % | points to fp32 (only fp32 right, only this) | ms a batch | × fp32 | CPU × fp32 | peak MiB | file MiB | made in CPU s |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ]
    right = [a == b for a, b in zip(rows[FLOAT]['classes'], truth)]
    for name, row in rows.items():
        own = [a == b for a, b in zip(row['classes'], truth)]
        lost = sum(a and not b for a, b in zip(right, own))
        won = sum(b and not a for a, b in zip(right, own))
        milliseconds = statistics.median(each[name]['milliseconds'] for each in rounds)
        ratio, processor = (
            statistics.geometric_mean(each[FLOAT][key] / each[name][key] for each in rounds)
            for key in ('milliseconds', 'processor')
        )
        peak = statistics.median(each[name]['peak'] for each in rounds)
        lines.append(
            f'| {name} | {100 * sum(own) / images:.1f} | {100 * (won - lost) / images:+.1f} ({lost}, {won}) | {milliseconds:.1f} '
            f'| {ratio:.2f} | {processor:.2f} | {peak:.0f} | {row["bytes"] / MIB:.1f} | {row["made"]["processor"]:.0f} |'
        )
    lines += [f'| {name} | failed: {why} | | | | | | | |' for name, why in failed.items()]
    return lines


def kernels_of(rows):
    """Which kernels OpenVINO says that it took, how many of each; ONNX Runtime does not say."""
    lines = []
    for name, row in rows.items():
        # Constants, and operations that only move data.
        kinds = {kind: count for kind, count in row['kernels'].items() if not kind.startswith(('unknown', 'ref'))}
        if kinds:
            counts = sorted(kinds.items(), key=lambda each: -each[1])
            lines.append(f'- {name}: ' + ', '.join(f'{count} × `{kind}`' for kind, count in counts))
    return ['Kernels:', '', *lines] if lines else []


def conditions(options, rows, images, load):
    import numpy
    import nncf
    import onnxruntime
    import openvino
    import torch

    with open('/proc/cpuinfo') as file:
        text = file.read()
    processor = next((line.split(':')[1].strip() for line in text.splitlines() if line.startswith('model name')), platform.machine())
    flags = [flag for flag in ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_int8') if flag in isa.processor_flags()]
    tools = {'onnxruntime': onnxruntime, 'openvino': openvino, 'nncf': nncf, 'torch': torch, 'numpy': numpy}
    versions = ', '.join(f'{name} {module.__version__.split("-")[0]}' for name, module in tools.items())
    kernels = "this processor's own kernels" if options.isa == 'native' else (
        'kernels for AVX2 (ONNX Runtime and OpenVINO believe that no AVX-512 state is saved): instructions are those of a processor with AVX2 and '
        "nothing newer, caches, clock and execution units this machine's"
    )
    reused = sum(row['made']['reused'] for row in rows.values())
    return [
        f'{options.model.name}: the first {images} test images; calibration on training images alone. Instructions: {kernels}. One thread, '
        f'batch {BATCH}, shapes fixed; all ONNX files on one ONNX Runtime; {options.rounds} round{"s" if options.rounds != 1 else ""} of fresh processes in random order, {options.seconds:g} s '
        'each; times are medians, ratios geometric means of the rounds. Peak: of loading and the first run, over the process with its '
        'libraries. Made: from the exported model, or the checkpoint with EdgeFlex, in processor time, loading the tool included'
        f'{f" ({reused} models of an earlier call)" if reused else ""}. {processor} ({", ".join(flags)}), '
        f'load {load:.1f} before and {os.getloadavg()[0]:.1f} after; Python {platform.python_version()}, {versions}.',
    ]


main()
