#!/usr/bin/env python3
"""Makes the ONNX files beside this one: tiny models with random weights as real exporters write them, and PyTorch's logits.

python make.py            made with torch 2.13.0, transformers 5.24.0, timm 1.0.31, onnxruntime 1.32.0, onnxconverter-common 1.16.0
"""
import pathlib
import re
import tempfile

import onnx
import onnxruntime as ort
import timm
import torch
import transformers as hf
from onnxconverter_common import float16
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
from onnxruntime.transformers import float16 as ort_float16, optimizer
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
pixels = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(5))
parity = {'pixel_values': pixels}
legacy = dict(dynamo=False, opset_version=17)
dynamo = dict(dynamo=True, opset_version=18)


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        given = self.model(pixel_values)
        if isinstance(given, torch.Tensor):
            return given
        return given.logits if hasattr(given, 'logits') else given.pooler_output


def drawn(model):
    """Weights large enough that every part of the model shows in its logits."""
    generator = torch.Generator().manual_seed(len(parity))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 0:
                continue
            size = 0.3 if weight.ndim < 2 else weight[0].numel() ** -0.5
            if re.search('table|position|token|pos_embed', name):
                size = 0.5
            around_one = re.search(r'norm\w*\.weight$|lambda|gamma', name)
            weight.copy_(torch.randn(weight.shape, generator=generator) * size + (1 if around_one else 0))
    return Logits(model).eval()


def export(name, model, exporter, images=pixels):
    model = drawn(model)
    path = here / f'{name}.onnx'
    names = dict(input_names=['pixel_values'], output_names=['logits'])
    free = (
        dict(dynamic_shapes=({0: torch.export.Dim('batch')},), external_data=False, verbose=False)
        if exporter['dynamo']
        else dict(dynamic_axes={'pixel_values': {0: 'batch'}, 'logits': {0: 'batch'}})
    )
    with torch.no_grad():
        torch.onnx.export(model, (images,), str(path), **exporter, **names, **free)
        parity[name] = model(images)
    graph = onnx.load(path)
    # Stack traces of whoever exported it.
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    del graph.graph.value_info[:]
    onnx.save(graph, path)
    return path


def from_timm(architecture, **args):
    size = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, mlp_ratio=2.0)
    return timm.create_model(architecture, num_classes=10, **(size | args))


SIZE = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, image_size=16, patch_size=4)


def from_transformers(kind, **args):
    config = getattr(hf, f'{kind}Config')(**(SIZE | dict(num_labels=10) | args))
    return getattr(hf, f'{kind}ForImageClassification')(config)


def tower(kind):
    return getattr(hf, f'{kind}ForImageClassification')(getattr(hf, f'{kind}Config')(vision_config=SIZE, num_labels=10))


class Images(CalibrationDataReader):
    def __init__(self):
        self.left = [{'pixel_values': pixels.numpy()}]

    def get_next(self):
        return self.left.pop() if self.left else None


vit = from_transformers('ViT')
plain = export('vit', vit, legacy)
export('vit-tanh', from_transformers('ViT', hidden_act='gelu_new'), legacy)
export('vit-relu', from_transformers('ViT', hidden_act='relu'), dynamo)
export('dinov2', from_transformers('Dinov2', mlp_ratio=2), dynamo)
export('dinov2-swiglu-registers', from_transformers('Dinov2WithRegisters', mlp_ratio=2, use_swiglu_ffn=True), dynamo)
export('beit', from_transformers('Beit', use_relative_position_bias=True), dynamo)
export('clip', tower('CLIP'), legacy)
export('siglip', tower('Siglip'), dynamo)
export('timm-average-registers', from_timm('vit_tiny_patch16_224', reg_tokens=2, no_embed_class=True, global_pool='avg', init_values=0.1), dynamo)
export('timm-no-class-token', from_timm('vit_tiny_patch16_224', global_pool='avg', fc_norm=False, class_token=False), legacy)
export('timm-query-key-norms', from_timm('vit_tiny_patch16_224', qk_norm=True, no_embed_class=True), dict(dynamo=False, opset_version=14))
export('timm-swiglu', from_timm('vit_tiny_patch16_224', mlp_layer=timm.layers.SwiGLU, act_layer=torch.nn.SiLU), dynamo)

# Images and patches that are no squares, and images of one channel.
for name, model, exporter, channels in [
    ('vit-rectangle', from_transformers('ViT', image_size=(16, 24), patch_size=(4, 8)), legacy, 3),
    ('beit-rectangle', from_transformers('Beit', image_size=(16, 24), use_relative_position_bias=True), dynamo, 3),
    ('timm-rectangle-grey', from_timm('vit_tiny_patch16_224', img_size=(16, 24), patch_size=(8, 4), in_chans=1), dynamo, 1),
]:
    images = torch.randn(2, channels, 16, 24, generator=torch.Generator().manual_seed(6))
    parity[f'{name}.pixel_values'] = images
    export(name, model, exporter, images)

# Pooled by attention, with a classifier behind it and as a backbone.
export('timm-attention-pool', from_timm('vit_tiny_patch16_224', global_pool='map', reg_tokens=1), legacy)
export('siglip-backbone', hf.SiglipVisionModel(hf.SiglipVisionConfig(**SIZE)), dynamo)
# Added to the scores without a class token, and LayerScale that is one number.
export('timm-relative', from_timm('vit_relpos_small_patch16_224'), legacy)
export('beit-one-scale', from_transformers('Beit', use_absolute_position_embeddings=True, layer_scale_init_value=0.0), legacy)
# As the exporter leaves it that is told not to optimise: cuts that leave everything, types taken from other values.
export('vit-unoptimised', from_transformers('ViT'), dynamo | dict(optimize=False))
save_file(parity, here / 'parity.safetensors')

# What ONNX Runtime's optimisers make of exports: the transformer optimiser, and the session that saves what it runs.
for name in ['vit', 'vit-tanh', 'timm-query-key-norms', 'siglip', 'clip']:
    fused = optimizer.optimize_model(str(here / f'{name}.onnx'), model_type='vit', num_heads=3, hidden_size=12, opt_level=0)
    fused.save_model_to_file(str(here / f'ort-{name}.onnx'))
for name in ['vit', 'timm-average-registers', 'clip', 'dinov2', 'siglip-backbone']:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(here / f'session-{name}.onnx')
    ort.InferenceSession(str(here / f'{name}.onnx'), options, providers=['CPUExecutionProvider'])

# As older versions of the transformer optimiser wrote attention: fused, with one matrix for queries, keys and values, or three.
def fused_attention(name, state, packed):
    constants, nodes = {}, []
    node = lambda kind, inputs, outputs, domain='', **attributes: nodes.append(
        onnx.helper.make_node(kind, inputs, outputs, f'{kind}_{len(nodes)}', domain=domain, **attributes))
    fused = lambda kind, inputs, outputs, **attributes: node(kind, inputs, outputs, 'com.microsoft', **attributes)

    def constant(key, value):
        constants[key] = onnx.numpy_helper.from_array(value.detach().numpy(), key)
        return key

    weight = lambda key, turned=False: constant(key, state[key].t().contiguous() if turned else state[key])
    node('Conv', ['pixel_values', weight('vit.embeddings.patch_embeddings.projection.weight'), weight('vit.embeddings.patch_embeddings.projection.bias')], ['conv'], strides=[4, 4], kernel_shape=[4, 4])
    node('Reshape', ['conv', constant('to_rows', torch.tensor([0, 12, 16]))], ['rows'])
    node('Transpose', ['rows'], ['patches'], perm=[0, 2, 1])
    node('Expand', [weight('vit.embeddings.cls_token'), constant('two', torch.tensor([2, 1, 12]))], ['cls'])
    node('Concat', ['cls', 'patches'], ['tokens'], axis=1)
    node('Add', ['tokens', weight('vit.embeddings.position_embeddings')], ['x0'])
    node('LayerNormalization', ['x0', weight('vit.layers.0.layernorm_before.weight'), weight('vit.layers.0.layernorm_before.bias')], ['normed0'], epsilon=1e-12)
    for layer in range(2):
        at = f'vit.layers.{layer}'
        roles = [f'{at}.attention.{role}_proj' for role in 'qkv']
        bias = constant(f'{at}.qkv.bias', torch.cat([state[f'{role}.bias'] for role in roles]))
        if packed:
            matrix = constant(f'{at}.qkv.weight', torch.cat([state[f'{role}.weight'] for role in roles]).t().contiguous())
            fused('Attention', [f'normed{layer}', matrix, bias], [f'context{layer}'], num_heads=3)
        else:
            for role in roles:
                node('MatMul', [f'normed{layer}', weight(f'{role}.weight', True)], [role])
            fused('MultiHeadAttention', [*roles, bias], [f'context{layer}'], num_heads=3)
        node('MatMul', [f'context{layer}', weight(f'{at}.attention.o_proj.weight', True)], [f'o{layer}'])
        fused('SkipLayerNormalization', [f'x{layer}', f'o{layer}', weight(f'{at}.layernorm_after.weight'), weight(f'{at}.layernorm_after.bias'), weight(f'{at}.attention.o_proj.bias')], [f'between{layer}', '', '', f'middle{layer}'], epsilon=1e-12)
        node('MatMul', [f'between{layer}', weight(f'{at}.mlp.fc1.weight', True)], [f'fc1{layer}'])
        fused('BiasGelu', [f'fc1{layer}', weight(f'{at}.mlp.fc1.bias')], [f'gelu{layer}'])
        node('MatMul', [f'gelu{layer}', weight(f'{at}.mlp.fc2.weight', True)], [f'fc2{layer}'])
        norm = f'vit.layers.{layer + 1}.layernorm_before' if layer == 0 else 'vit.layernorm'
        fused('SkipLayerNormalization', [f'fc2{layer}', f'middle{layer}', weight(f'{norm}.weight'), weight(f'{norm}.bias'), weight(f'{at}.mlp.fc2.bias')], [f'normed{layer + 1}', '', '', f'x{layer + 1}'], epsilon=1e-12)
    node('Gather', ['normed2', constant('first', torch.tensor(0))], ['class'], axis=1)
    node('Gemm', ['class', weight('classifier.weight'), weight('classifier.bias')], ['logits'], transB=1)
    value = lambda name, *shape: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    graph = onnx.helper.make_graph(nodes, name, [value('pixel_values', 2, 3, 16, 16)], [value('logits', 2, 10)], list(constants.values()))
    opsets = [onnx.helper.make_opsetid('', 17), onnx.helper.make_opsetid('com.microsoft', 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), here / f'{name}.onnx')


fused_attention('fused-attention', vit.state_dict(), True)
fused_attention('fused-multi-head-attention', vit.state_dict(), False)

# Converted to float16: casts at the ends, or none; and what the transformer optimiser makes of it.
for name, ends in [('vit', True), ('dinov2', False), ('timm-swiglu', True)]:
    onnx.save(float16.convert_float_to_float16(onnx.load(here / f'{name}.onnx'), keep_io_types=ends), here / f'half-{name}.onnx')
fused = optimizer.optimize_model(str(here / 'vit.onnx'), model_type='vit', num_heads=3, hidden_size=12, opt_level=0)
fused.convert_float_to_float16(keep_io_types=True)
fused.save_model_to_file(str(here / 'half-ort-vit.onnx'))
# By the optimiser's own converter, which leaves some operators in float32 and its conversions behind all other nodes.
half = ort_float16.convert_float_to_float16(onnx.load(here / 'vit.onnx'), keep_io_types=True, op_block_list=['LayerNormalization', 'Softmax'])
onnx.save(half, here / 'half-islands-vit.onnx')

# What is run as it is: quantised by ONNX Runtime's own tools.
quantize_dynamic(plain, here / 'raw-dynamic.onnx')
quantize_static(plain, here / 'raw-qdq.onnx', Images())
