"""Libraries limited to AVX2: copies of the tools that choose the kernels which a processor without AVX-512 gets.

Tools ask which registers the operating system saves (XGETBV) before they take kernels for AVX-512, VNNI or AMX. In the copies that question is
answered with "those of AVX, no more". Nothing but the standard library is needed here.
"""
import pathlib
import platform
import shutil

# `xor ecx, ecx; xgetbv` (Intel SDM, volume 1, 13.3), and what is put in its place: `xor ecx, ecx; lea eax, [rcx + 7]`, x87, SSE and AVX.
# Nothing is touched but what `xgetbv` sets; of edx nobody reads what is asked there.
ASKING = bytes.fromhex('31c90f01d0')
ANSWERED = bytes.fromhex('31c98d4107')

# Where each library asks, of the versions in requirements.txt: ONNX Runtime in the constructor of MLAS_PLATFORM, in three functions into which that
# is inlined, and in CPUIDInfo; OpenVINO in Xbyak's Cpu (in both libraries), in a test for APX, and in its copy of MLAS.
PLACES = {
    'onnxruntime': {'capi/onnxruntime_pybind11_state.*.so': 5},
    'openvino': {'libs/libopenvino.so.*': 1, 'libs/libopenvino_intel_cpu_plugin.so': 3},
}

# What names of kernels must not contain where they are limited.
NEWER = ('avx512', 'vnni', 'amx', 'avx10')


class NotLimited(Exception):
    """A tool that cannot be limited, and why."""


def processor_flags():
    with open('/proc/cpuinfo') as lines:
        return next((line.split(':')[1].split() for line in lines if line.startswith('flags')), [])


def check_processor(flags, system=platform.system(), machine=platform.machine()):
    """Refuses where limiting would not give what an AVX2 processor runs."""
    if (system, machine) != ('Linux', 'x86_64'):
        raise NotLimited(f'Linux on x86_64 is needed, and this is {system} on {machine}')
    if 'avx2' not in flags:
        raise NotLimited('this processor has no AVX2')
    newer = [flag for flag in flags if flag.startswith('avx_vnni')]
    if newer:
        raise NotLimited(f'this processor has {", ".join(newer)}, whose kernels need no AVX-512 state and would be taken')


def answered(path, places):
    """The bytes of a library in which each of its questions is answered."""
    content = path.read_bytes()
    found = content.count(ASKING)
    if found != places:
        raise NotLimited(f'{path.name} asks for the state that the system saves in {found} places, and {places} are expected')
    return content.replace(ASKING, ANSWERED)


def limit(package, installed, folder):
    """Writes a limited copy of an installed package into a folder, which goes first on PYTHONPATH.

    Files that stay as they are are linked. Throws NotLimited where the package asks elsewhere than is expected.
    """
    changed = {}
    for pattern, places in PLACES[package].items():
        paths = sorted((installed / package).glob(pattern))
        if len(paths) != 1:
            raise NotLimited(f'{package} has {len(paths)} files {pattern}, and one is expected')
        changed[paths[0].relative_to(installed)] = answered(paths[0], places)
    copy = folder / package
    shutil.copytree(installed / package, copy, copy_function=lambda source, to: pathlib.Path(to).symlink_to(source))
    for path, content in changed.items():
        (folder / path).unlink()
        (folder / path).write_bytes(content)


def check_mapped(package, folder, maps=None):
    """Refuses unless this process has loaded the limited libraries of a package, and no others of their names."""
    lines = pathlib.Path('/proc/self/maps').read_text() if maps is None else maps
    mapped = {pathlib.Path(path) for path in (line.split(maxsplit=5)[-1].strip() for line in lines.splitlines()) if path.startswith('/')}
    for pattern in PLACES[package]:
        loaded = [path for path in mapped if path.match(pattern)]
        if [path.is_relative_to(folder) for path in loaded] != [True]:
            raise NotLimited(f'{pattern} is loaded from {", ".join(sorted(str(path) for path in loaded)) or "nowhere"}')


def check_kernels(names):
    """Refuses kernels of more than AVX2 by their names."""
    newer = sorted({name for name in names if any(word in name.lower() for word in NEWER)})
    if newer:
        raise NotLimited(f'kernels that need more than AVX2 were taken: {", ".join(newer)}')
