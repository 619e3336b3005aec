"""Makes one model in a process of its own: what it took is one line of JSON on standard output.

python maker.py '{"name": "ONNX Runtime dynamic INT8", "folder": ..., "setting": {...}}'
"""
import json
import os
import pathlib
import resource
import sys
import time

from setting import Setting
from variants import EVERY


def processor_seconds():
    """Of this process and of those that it waited for."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


# What tools print goes to standard error.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
task = json.loads(sys.argv[1])
folder = pathlib.Path(task['folder'])
setting = Setting(**{name: path and pathlib.Path(path) for name, path in task['setting'].items()})
began = time.perf_counter()
file = EVERY[task['name']].make(setting, folder)
seconds = time.perf_counter() - began
print(json.dumps({'file': str(file.relative_to(folder)), 'seconds': seconds, 'processor': processor_seconds()}), file=answers)
