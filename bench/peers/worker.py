"""One measurement of one model in a process of its own: one line of JSON on standard output.

python worker.py '{"kind": "onnxruntime", "model": ..., "images": ..., "batch": 8, "threads": 1, "seconds": 3}'
"""
import json
import os
import sys
import time

os.environ['ORT_DISABLE_TELEMETRY'] = '1'
import numpy as np


def status(key):
    """A figure of this process in MiB: VmRSS now, VmHWM at most."""
    with open('/proc/self/status') as lines:
        for line in lines:
            if line.startswith(key + ':'):
                return int(line.split()[1]) / 1024
    raise KeyError(key)


def has_vnni():
    with open('/proc/cpuinfo') as file:
        flags = next((line.split() for line in file if line.startswith('flags')), [])
    return 'avx512_vnni' in flags or 'avx_vnni' in flags


def opened_onnxruntime(model, threads, batch, precise=False):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if precise:
        # As EdgeFlex opens its models on x86-64 without VNNI, where products of INT8 would saturate; with VNNI they are exact, and this only slow.
        options.add_session_config_entry('session.x64quantprecision', '1')
    base = started()
    session = ort.InferenceSession(model, options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return base, lambda pixels: session.run(None, {name: pixels})[0]


def opened_openvino(model, threads, batch):
    import openvino as ov

    core = ov.Core()
    base = started()
    read = core.read_model(model)
    # A shape that is known is what OpenVINO is fastest with.
    read.reshape([batch, *[int(dim.get_length()) for dim in list(read.inputs[0].partial_shape)[1:]]])
    settings = {'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1, 'INFERENCE_PRECISION_HINT': 'f32'}
    request = core.compile_model(read, 'CPU', settings).create_infer_request()
    return base, lambda pixels: next(iter(request.infer([pixels]).values()))


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
    kind, model, threads = task['kind'], task['model'], task['threads']
    if kind == 'openvino':
        base, run = opened_openvino(model, threads, batch)
    else:
        base, run = opened_onnxruntime(model, threads, batch, precise=kind == 'edgeflex' and not has_vnni())
    run(first)
    answer = {'peak': status('VmHWM') - base}
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
        answer['classes'] = np.concatenate(rows).argmax(1).tolist()
    print(json.dumps(answer))


main()
