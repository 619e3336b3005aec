"""One measurement of one model in a process of its own: one line of JSON on standard output.

python worker.py '{"package": "onnxruntime", "model": ..., "images": ..., "batch": 8, "threads": 1, "seconds": 3, "precision": "f32"}'

With "limited", the folder of the libraries that are limited to AVX2, it refuses when others are loaded, or take newer kernels.
"""
import collections
import json
import os
import pathlib
import sys
import time

os.environ['ORT_DISABLE_TELEMETRY'] = '1'
import numpy as np

import isa


def status(key):
    """A figure of this process in MiB: VmRSS now, VmHWM at most."""
    with open('/proc/self/status') as lines:
        for line in lines:
            if line.startswith(key + ':'):
                return int(line.split()[1]) / 1024
    raise KeyError(key)


def opened_onnxruntime(task):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = task['threads']
    options.inter_op_num_threads = 1
    # Shapes that are known, as OpenVINO gets them.
    options.add_free_dimension_override_by_name('batch', task['batch'])
    base = started()
    session = ort.InferenceSession(task['model'], options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return base, lambda pixels: session.run(None, {name: pixels})[0], []


def opened_openvino(task):
    import openvino as ov

    core = ov.Core()
    base = started()
    read = core.read_model(task['model'])
    # A shape that is known is what OpenVINO is fastest with.
    read.reshape([task['batch'], *[int(dim.get_length()) for dim in list(read.inputs[0].partial_shape)[1:]]])
    settings = {'INFERENCE_NUM_THREADS': task['threads'], 'NUM_STREAMS': 1, 'INFERENCE_PRECISION_HINT': task['precision']}
    compiled = core.compile_model(read, 'CPU', settings)
    request = compiled.create_infer_request()
    run = lambda pixels: next(iter(request.infer([pixels]).values()))
    # The graph that says which kernels were taken costs memory: it is not asked for where memory is measured.
    if 'seconds' in task:
        return base, run, []
    return base, run, [op.get_rt_info()['primitiveType'].astype(str) for op in compiled.get_runtime_model().get_ops()]


OPENED = {'onnxruntime': opened_onnxruntime, 'openvino': opened_openvino}


def started():
    """The memory of a process that has its libraries and no model; peaks count from here."""
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')
    return status('VmRSS')


def main():
    task = json.loads(sys.argv[1])
    batch = task['batch']
    images = np.load(task['images'], mmap_mode='r')
    first = np.ascontiguousarray(images[:batch])
    base, run, kernels = OPENED[task['package']](task)
    run(first)
    answer = {'peak': status('VmHWM') - base}
    if 'limited' in task:
        isa.check_mapped(task['package'], pathlib.Path(task['limited']))
        isa.check_kernels(kernels)
    if 'seconds' in task:
        # Warm until it has run for a third of the time, then timed; processor time tells work from waiting for others.
        until = time.perf_counter() + task['seconds'] / 3
        while time.perf_counter() < until:
            run(first)
        times = []
        processor, start = time.process_time(), time.perf_counter()
        while time.perf_counter() - start < task['seconds'] or len(times) < 5:
            began = time.perf_counter()
            run(first)
            times.append(time.perf_counter() - began)
        answer['milliseconds'] = 1000 * float(np.median(times))
        answer['processor'] = 1000 * (time.process_time() - processor) / len(times)
    else:
        # Whole batches: some graphs take no other.
        rows = [run(np.ascontiguousarray(images[at : at + batch])) for at in range(0, len(images) - batch + 1, batch)]
        answer['kernels'] = dict(collections.Counter(kernels))
        answer['classes'] = np.concatenate(rows).argmax(1).tolist()
    print(json.dumps(answer))


main()
