"""What is measured: each maker leaves a model in a folder and says how to run it."""
import json
import os
import pathlib
import shutil
import subprocess

import numpy as np

CALIBRATION_IMAGES = 128


class Setting:
    """Where everything lies that makers need."""

    def __init__(self, root, model, data, work, calibration):
        self.root, self.model, self.data, self.work = root, model, data, work
        self.calibration = calibration
        self.export = work / 'export' / 'model.onnx'


def edgeflex(recipe):
    """EdgeFlex itself: a recipe of suites/recipes, or None for float32."""

    def make(setting, folder):
        path = setting.root / 'suites' / 'recipes' / f'{recipe}.yaml'
        if recipe is None:
            path = setting.work / 'fp32.yaml'
            path.write_text('name: fp32\nstages: []\n')
        # A cache of its own: what is timed is the work, not finding what was made before.
        environment = {**os.environ, 'EDGEFLEX_CACHE': str(folder / 'cache')}
        command = ['node', 'bin/edgeflex.js', 'compress', str(setting.model), '--recipe', str(path)]
        command += ['--data', str(setting.data), '--dataset', 'cifar10', '-o', str(folder / 'out')]
        subprocess.run(command, cwd=setting.root, env=environment, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / 'cache')
        return 'edgeflex', folder / 'out' / 'model.onnx'

    return make


def exported(setting, folder):
    """What PyTorch's exporter writes; everything below starts from it."""
    import torch
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(setting.model, attn_implementation='eager')
    model = model.float().eval()
    config = model.config

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            return self.model(pixel_values).logits

    pixels = torch.zeros(2, config.num_channels, config.image_size, config.image_size)
    shapes = {'pixel_values': {0: torch.export.Dim('batch')}}
    setting.export.parent.mkdir(exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            Logits(), (pixels,), str(setting.export), dynamo=True, dynamic_shapes=shapes, external_data=False,
            input_names=['pixel_values'], output_names=['logits'],
        )
    return 'onnxruntime', setting.export


def optimised(setting, folder):
    """ONNX Runtime's optimiser for transformers, float32."""
    from onnxruntime.transformers.optimizer import optimize_model

    config = json.loads((setting.model / 'config.json').read_text())
    model = optimize_model(
        str(setting.export), model_type='vit', opt_level=0,
        num_heads=config['num_attention_heads'], hidden_size=config['hidden_size'],
    )
    model.save_model_to_file(str(folder / 'model.onnx'))
    return 'onnxruntime', folder / 'model.onnx'


def dynamic(setting, folder):
    """ONNX Runtime's dynamic quantiser as it is by default."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(prepared(setting), folder / 'model.onnx', weight_type=QuantType.QInt8)
    return 'onnxruntime', folder / 'model.onnx'


def static(**options):
    """ONNX Runtime's static quantiser, QDQ; by default, or with other options."""

    def make(setting, folder):
        from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

        class Reader(CalibrationDataReader):
            def __init__(self):
                self.batches = iter(np.split(setting.calibration, CALIBRATION_IMAGES // 8))

            def get_next(self):
                pixels = next(self.batches, None)
                return None if pixels is None else {'pixel_values': pixels}

        types = {'activation_type': QuantType.QUInt8, 'weight_type': QuantType.QInt8}
        quantize_static(prepared(setting), folder / 'model.onnx', Reader(), **types, **options)
        return 'onnxruntime', folder / 'model.onnx'

    return make


def prepared(setting):
    """The export as ONNX Runtime's quantisers ask for it: shapes inferred, optimised."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = setting.work / 'export' / 'prepared.onnx'
    if not path.exists():
        # Symbolic shape inference fails on what the current exporter writes; ONNX's own is enough here.
        quant_pre_process(str(setting.export), str(path), skip_symbolic_shape=True)
        # Shapes that it notes of intermediate values contradict what the dynamic quantiser then infers.
        model = onnx.load(path)
        model.graph.ClearField('value_info')
        onnx.save(model, path)
    return path


def openvino(setting, folder):
    """OpenVINO, float32."""
    import openvino as ov

    ov.save_model(ov.convert_model(setting.export), folder / 'model.xml', compress_to_fp16=False)
    return 'openvino', folder / 'model.xml'


def nncf_int8(setting, folder):
    """NNCF's post-training quantisation for OpenVINO, with its preset for transformers."""
    import nncf
    import openvino as ov

    images = nncf.Dataset(list(setting.calibration), lambda pixels: pixels[None])
    model = nncf.quantize(
        ov.convert_model(setting.export), images,
        model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_IMAGES,
    )
    ov.save_model(model, folder / 'model.xml', compress_to_fp16=False)
    return 'openvino', folder / 'model.xml'


VARIANTS = {
    'EdgeFlex fp32': edgeflex(None),
    'PyTorch export, ONNX Runtime fp32': exported,
    'ONNX Runtime transformer optimiser, fp32': optimised,
    'ONNX Runtime dynamic INT8': dynamic,
    'ONNX Runtime static INT8 (QDQ, min-max)': static(),
    'ONNX Runtime static INT8, MatMul per channel': static(op_types_to_quantize=['MatMul', 'Gemm'], per_channel=True),
    'OpenVINO fp32': openvino,
    'OpenVINO, NNCF INT8': nncf_int8,
    'EdgeFlex int8': edgeflex('int8'),
    'EdgeFlex edgeflex': edgeflex('edgeflex'),
    'EdgeFlex edgeflex-merge': edgeflex('edgeflex-merge'),
    'EdgeFlex edgeflex-half': edgeflex('edgeflex-half'),
}
