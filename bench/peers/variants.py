"""What is measured, and how each is made: a maker leaves a model in a folder and says which file it is."""
import contextlib
import dataclasses
import json
import pathlib
import tempfile

from edgeflex import edgeflex
from setting import Variant

# How many training images peers are calibrated on: what NNCF takes by default, in whole batches.
CALIBRATION_IMAGES = 304

# What is quantised where LayerNorm, softmax and sums are to stay float.
MATMULS = {'op_types_to_quantize': ['MatMul', 'Gemm'], 'per_channel': True}


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
    with torch.no_grad():
        torch.onnx.export(
            Logits().eval(), (pixels,), str(folder / 'model.onnx'), dynamo=True, dynamic_shapes=shapes, external_data=False,
            input_names=['pixel_values'], output_names=['logits'],
        )
    return folder / 'model.onnx'


def optimised(setting, folder):
    """ONNX Runtime's optimiser for transformers, float32."""
    from onnxruntime.transformers.optimizer import optimize_model

    config = json.loads((setting.model / 'config.json').read_text())
    model = optimize_model(
        str(setting.export), model_type='vit', opt_level=0,
        num_heads=config['num_attention_heads'], hidden_size=config['hidden_size'],
    )
    model.save_model_to_file(str(folder / 'model.onnx'))
    return folder / 'model.onnx'


def dynamic(**options):
    """ONNX Runtime's dynamic quantiser; by default, or with other options."""

    def make(setting, folder):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        with prepared(setting) as source:
            quantize_dynamic(source, folder / 'model.onnx', weight_type=QuantType.QInt8, **options)
        return folder / 'model.onnx'

    return Variant(make)


def static(**options):
    """ONNX Runtime's static quantiser, QDQ; by default, or with other options."""

    def make(setting, folder):
        import numpy as np
        from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

        class Reader(CalibrationDataReader):
            def __init__(self):
                self.batches = iter(np.split(setting.images(), CALIBRATION_IMAGES // 8))

            def get_next(self):
                pixels = next(self.batches, None)
                return None if pixels is None else {'pixel_values': pixels}

        types = {'activation_type': QuantType.QUInt8, 'weight_type': QuantType.QInt8}
        with prepared(setting) as source:
            quantize_static(source, folder / 'model.onnx', Reader(), **types, **options)
        return folder / 'model.onnx'

    return Variant(make)


def neural_compressor(**options):
    """Intel's Neural Compressor for ONNX: SmoothQuant, then static INT8 of all products, per channel."""

    def make(setting, folder):
        import numpy as np
        from onnx_neural_compressor import data_reader
        from onnx_neural_compressor.quantization import QuantType, config, quantize

        class Reader(data_reader.CalibrationDataReader):
            def __init__(self):
                self.rewind()

            def get_next(self):
                pixels = next(self.batches, None)
                return None if pixels is None else {'pixel_values': pixels}

            def rewind(self):
                self.batches = iter(np.split(setting.images(), CALIBRATION_IMAGES // 8))

        wanted = config.StaticQuantConfig(
            calibration_data_reader=Reader(), activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            extra_options={'SmoothQuant': True}, **MATMULS, **options,
        )
        with prepared(setting) as source:
            quantize(str(source), str(folder / 'model.onnx'), wanted)
        return folder / 'model.onnx'

    return Variant(make)


@contextlib.contextmanager
def prepared(setting):
    """The export as ONNX Runtime's quantisers ask for it: shapes inferred, optimised."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix='peers-prepared-') as folder:
        path = pathlib.Path(folder) / 'model.onnx'
        # Symbolic shape inference fails on what the current exporter writes; ONNX's own is enough here.
        quant_pre_process(str(setting.export), str(path), skip_symbolic_shape=True)
        # Shapes that it notes of intermediate values contradict what the dynamic quantiser then infers.
        model = onnx.load(path)
        model.graph.ClearField('value_info')
        onnx.save(model, path)
        yield path


def openvino(setting, folder):
    """OpenVINO, float32."""
    import openvino as ov

    ov.save_model(ov.convert_model(setting.export), folder / 'model.xml', compress_to_fp16=False)
    return folder / 'model.xml'


def nncf_int8(**options):
    """NNCF's post-training quantisation for OpenVINO, with its preset for transformers: SmoothQuant, mixed (activations asymmetric)."""

    def make(setting, folder):
        import nncf
        import openvino as ov

        advanced = nncf.AdvancedQuantizationParameters(**{name: getattr(nncf, kind)[value] for name, (kind, value) in options.items()})
        images = nncf.Dataset(list(setting.images()), lambda pixels: pixels[None])
        model = nncf.quantize(
            ov.convert_model(setting.export), images, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_IMAGES,
            advanced_parameters=advanced,
        )
        ov.save_model(model, folder / 'model.xml', compress_to_fp16=False)
        return folder / 'model.xml'

    return Variant(make, package='openvino')


FLOAT = 'EdgeFlex fp32'
EXPORT = 'PyTorch export, ONNX Runtime fp32'
OPENVINO = 'OpenVINO fp32'
NNCF = 'OpenVINO, NNCF INT8'

VARIANTS = {
    FLOAT: edgeflex(None),
    EXPORT: Variant(exported),
    'ONNX Runtime transformer optimiser, fp32': Variant(optimised),
    'ONNX Runtime dynamic INT8': dynamic(),
    'ONNX Runtime dynamic INT8, per channel': dynamic(per_channel=True),
    'ONNX Runtime static INT8 (QDQ, min-max)': static(),
    'ONNX Runtime static INT8, MatMul per channel': static(**MATMULS),
    'Neural Compressor static INT8, SmoothQuant': neural_compressor(),
    OPENVINO: Variant(openvino, package='openvino'),
    NNCF: nncf_int8(),
    'EdgeFlex int8': edgeflex('int8'),
    'EdgeFlex edgeflex': edgeflex('edgeflex'),
    'EdgeFlex edgeflex-50': edgeflex('edgeflex-50'),
    'EdgeFlex edgeflex-merge': edgeflex('edgeflex-merge'),
    'EdgeFlex edgeflex-half': edgeflex('edgeflex-half'),
}

# What OpenVINO does by default on processors that have bfloat16: what is float32 in the model is not computed as float32.
WITH_BFLOAT16 = {
    'OpenVINO, bfloat16': Variant(openvino, package='openvino', precision='bf16', model_of=OPENVINO),
    'OpenVINO, NNCF INT8, bfloat16 beside it': dataclasses.replace(nncf_int8(), precision='bf16', model_of=NNCF),
}

# What the tools advise where products of INT8 saturate, that is without VNNI: weights of 7 bits. EdgeFlex's models need no such setting.
WITHOUT_VNNI = {
    'ONNX Runtime dynamic INT8, per channel, reduce_range': dynamic(per_channel=True, reduce_range=True),
    'ONNX Runtime static INT8, MatMul per channel, reduce_range': static(**MATMULS, reduce_range=True),
    'Neural Compressor static INT8, SmoothQuant, reduce_range': neural_compressor(reduce_range=True),
    'OpenVINO, NNCF INT8, overflow_fix': nncf_int8(overflow_fix=('OverflowFix', 'ENABLE')),
}

EVERY = {**VARIANTS, **WITH_BFLOAT16, **WITHOUT_VNNI}


def variants_for(flags, isa):
    """The rows for a processor and the instructions that it is limited to, by name."""
    native = isa == 'native'
    vnni = native and any(flag in flags for flag in ('avx512_vnni', 'avx_vnni'))
    bfloat16 = native and any(flag in flags for flag in ('avx512_bf16', 'amx_bf16'))
    return {**VARIANTS, **(WITH_BFLOAT16 if bfloat16 else {}), **({} if vnni else WITHOUT_VNNI)}
