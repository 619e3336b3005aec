#!/usr/bin/env python3
"""Makes the models beside this file: tiny, with random weights, and with the logits that PyTorch gives.

python make.py            made with torch 2.13.0, transformers 5.24.0, timm 1.0.31, open_clip 3.3.0
"""
import argparse
import json
import pathlib
import re
import shutil

import open_clip
import timm
import torch
import transformers as hf
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
pixels = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(5))
parity = {'pixel_values': pixels}


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
    return model.eval()


def folder(name):
    path = here / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def images_of(name, channels=3, height=16, width=24):
    """Images of another form than those of most models, kept beside the logits."""
    images = torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(6))
    parity[f'{name}.pixel_values'] = images
    return images


def transformers_model(name, model, interpolated=False, images=pixels):
    path = folder(name)
    drawn(model).save_pretrained(path)
    config = json.loads((path / 'config.json').read_text())
    config.pop('text_config', None)
    (path / 'config.json').write_text(json.dumps(config, indent=1) + '\n')
    if interpolated:
        height, width = images.shape[2:]
        size = {'image_processor_type': 'BitImageProcessor', 'size': {'height': height, 'width': width}, 'do_center_crop': False}
        (path / 'preprocessor_config.json').write_text(json.dumps(size) + '\n')
    with torch.no_grad():
        parity[name] = model(images).logits


def timm_model(name, architecture, images=pixels, prepared=None, **args):
    args = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, mlp_ratio=1.5) | args
    model = drawn(timm.create_model(architecture, num_classes=10, **args))
    path = folder(name)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path / 'model.safetensors')
    config = {'architecture': architecture, 'num_classes': 10, 'model_args': args} | (prepared or {})
    config['global_pool'] = model.pretrained_cfg.get('global_pool', getattr(model, 'global_pool', 'avg'))
    if isinstance(getattr(model, 'global_pool', None), str):
        config['global_pool'] = model.global_pool
    (path / 'config.json').write_text(json.dumps(config, indent=1) + '\n')
    with torch.no_grad():
        parity[name] = model(images)


size = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, image_size=16, patch_size=4)
mlp = dict(intermediate_size=18)
classes = dict(num_labels=10)

transformers_model('vit_tanh', hf.ViTForImageClassification(hf.ViTConfig(**size, **mlp, **classes, hidden_act='gelu_pytorch_tanh', qkv_bias=False)))
transformers_model('msn', hf.ViTMSNForImageClassification(hf.ViTMSNConfig(**size, **mlp, **classes)))
transformers_model('ijepa', hf.IJepaForImageClassification(hf.IJepaConfig(**size, **mlp, **classes)))
dinov2 = dict(**size, **classes, mlp_ratio=2)
registers = dict(num_register_tokens=3)
transformers_model('dinov2', hf.Dinov2ForImageClassification(hf.Dinov2Config(**dinov2)))
transformers_model('dinov2_swiglu_smaller', hf.Dinov2ForImageClassification(hf.Dinov2Config(**dinov2 | {'image_size': 28}, use_swiglu_ffn=True)), True)
transformers_model('dinov2_registers_smaller', hf.Dinov2WithRegistersForImageClassification(hf.Dinov2WithRegistersConfig(**dinov2 | {'image_size': 28}, **registers)), True)
transformers_model('dinov2_registers_larger', hf.Dinov2WithRegistersForImageClassification(hf.Dinov2WithRegistersConfig(**dinov2 | {'image_size': 12}, **registers)), True)
transformers_model('beit', hf.BeitForImageClassification(hf.BeitConfig(**size, **mlp, **classes, use_relative_position_bias=True)))
transformers_model('data2vec_shared', hf.Data2VecVisionForImageClassification(hf.Data2VecVisionConfig(**size, **mlp, **classes, use_shared_relative_position_bias=True, use_mean_pooling=False, use_absolute_position_embeddings=True)))
tower = dict(vision_config=size | mlp, text_config=dict(hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1, vocab_size=4), **classes)
transformers_model('clip', hf.CLIPForImageClassification(hf.CLIPConfig(**tower)))
transformers_model('siglip', hf.SiglipForImageClassification(hf.SiglipConfig(**tower)))

vit = 'vit_small_patch16_224'
timm_model('timm_average', vit, global_pool='avg')
timm_model('timm_average_of_all', vit, global_pool='avg', pool_include_prefix=True, fc_norm=False)
timm_model('timm_no_class_token', 'vit_medium_patch16_gap_256')
timm_model('timm_registers_with_positions', 'vit_so150m_patch16_reg4_gap_256', num_heads=3)
timm_model('timm_registers', 'vit_small_patch14_reg4_dinov2')
timm_model('timm_query_key_norms', vit, qk_norm=True, act_layer='relu')
timm_model('timm_no_biases', vit, qkv_bias=False, proj_bias=False, act_layer='silu')
timm_model('timm_swiglu', 'vit_giant_patch14_dinov2', mlp_ratio=2)
timm_model('timm_clip_quick_gelu', 'vit_base_patch16_clip_quickgelu_224')
timm_model('timm_siglip_tanh', 'vit_base_patch32_siglip_gap_256')
timm_model('timm_attention_pool', 'vit_so150m_patch16_reg4_map_256', num_heads=3)
timm_model('timm_no_last_norm', vit, final_norm=False)
timm_model('timm_deit3', 'deit3_small_patch16_224')
timm_model('timm_beit', 'beit_base_patch16_224')

# What torch.save writes: a state_dict, and what a training script keeps beside the weights.
vit_config = hf.ViTConfig(**size, **mlp, **classes)
saved = drawn(hf.ViTForImageClassification(vit_config))
path = folder('torch_bin')
vit_config.save_pretrained(path)
torch.save(saved.state_dict(), path / 'pytorch_model.bin')
with torch.no_grad():
    parity['torch_bin'] = saved(pixels).logits
args = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, mlp_ratio=1.5)
saved = drawn(timm.create_model(vit, num_classes=10, **args))
path = folder('torch_training')
weights = dict(saved.named_parameters())
weights['head.weight'] = torch.nn.Parameter(weights['head.weight'].detach().t().contiguous().t())
torch.save({'model': weights, 'epoch': 3, 'args': argparse.Namespace(lr=1e-3), 'optimizer': {'state': {}}}, path / 'checkpoint.pth')
# The same as PyTorch before 1.6 wrote it, beside a tensor of another kind and one that no dictionary of texts leads to.
(here.parent / 'fixtures').mkdir(exist_ok=True)
state = {'state': {0: {'exp_avg': torch.zeros(3, dtype=torch.float64)}}}
old = {'model': weights, 'epoch': 3, 'args': argparse.Namespace(lr=1e-3), 'optimizer': state, 'best': torch.tensor(0.5)}
torch.save(old, here.parent / 'fixtures' / 'before-1.6.pth', _use_new_zipfile_serialization=False)
(path / 'config.json').write_text(json.dumps({'architecture': vit, 'model_args': args}, indent=1) + '\n')
with torch.no_grad():
    parity['torch_training'] = saved(pixels)

# Rotary positions, and norms within attention and MLPs.
timm_model('timm_eva02', 'eva02_base_patch14_224')
timm_model('timm_eva02_clip', 'eva02_base_patch16_clip_224')
timm_model('timm_eva02_packed', 'eva02_tiny_patch14_224', ref_feat_shape=8)
timm_model('timm_dinov3', 'vit_small_plus_patch16_dinov3')
timm_model('timm_rope_axial', 'vit_small_patch16_rope_224')
timm_model('timm_rope_mixed', 'vit_small_patch16_rope_mixed_ape_224')
timm_model('timm_perception_encoder', 'vit_pe_core_tiny_patch16_384', attn_pool_num_heads=2)
timm_model('timm_beit3', 'beit3_base_patch16_224')
dinov3 = drawn(hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**size, **mlp, **registers)))
dinov3.save_pretrained(folder('dinov3'))
with torch.no_grad():
    parity['dinov3'] = dinov3(pixels).pooler_output.contiguous()

# Numbers of distances that an MLP makes.
timm_model('timm_relative_shared', 'vit_srelpos_small_patch16_224', rel_pos_dim=5)
timm_model('timm_relative_class', 'vit_relpos_base_patch16_clsgap_224', rel_pos_dim=7)

# A model of images and texts of open_clip 3.3.0, of which the image tower gives its projected features.
tower = dict(image_size=16, patch_size=4, width=12, layers=2, head_width=4, mlp_ratio=1.5)
texts = dict(context_length=4, vocab_size=8, width=4, heads=1, layers=1)
clip = drawn(open_clip.CLIP(8, open_clip.CLIPVisionCfg(**tower), open_clip.CLIPTextCfg(**texts), quick_gelu=True))
path = folder('open_clip')
save_file({key: value.contiguous() for key, value in clip.state_dict().items()}, path / 'open_clip_model.safetensors')
config = {'model_cfg': {'embed_dim': 8, 'quick_gelu': True, 'vision_cfg': tower, 'text_cfg': texts}, 'preprocess_cfg': {'mean': [0.5] * 3, 'std': [0.5] * 3}}
(path / 'open_clip_config.json').write_text(json.dumps(config, indent=1) + '\n')
with torch.no_grad():
    parity['open_clip'] = clip.visual(pixels).contiguous()

# Images and patches that are no squares, and images of one channel.
wide = dict(image_size=(16, 24))
transformers_model('vit_rectangle', hf.ViTForImageClassification(hf.ViTConfig(**size | wide | {'patch_size': (4, 8)}, **mlp, **classes)), images=images_of('vit_rectangle'))
transformers_model('beit_rectangle', hf.BeitForImageClassification(hf.BeitConfig(**size | wide, **mlp, **classes, use_relative_position_bias=True)), images=images_of('beit_rectangle'))
transformers_model('dinov2_rectangle', hf.Dinov2ForImageClassification(hf.Dinov2Config(**dinov2 | {'image_size': 28})), True, images_of('dinov2_rectangle'))
# As many patches as the square that it was trained for has.
transformers_model('dinov2_registers_rectangle', hf.Dinov2WithRegistersForImageClassification(hf.Dinov2WithRegistersConfig(**dinov2, **registers)), True, images_of('dinov2_registers_rectangle', height=8, width=32))
dinov3 = drawn(hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**size, **mlp, **registers)))
dinov3.save_pretrained(folder('dinov3_rectangle'))
(here / 'dinov3_rectangle' / 'preprocessor_config.json').write_text(json.dumps({'image_processor_type': 'DINOv3ViTImageProcessor', 'size': {'height': 16, 'width': 24}}) + '\n')
with torch.no_grad():
    parity['dinov3_rectangle'] = dinov3(images_of('dinov3_rectangle')).pooler_output.contiguous()
for name, architecture, args in [
    ('timm_rectangle', vit, dict(patch_size=(8, 4), no_embed_class=True, reg_tokens=2)),
    ('timm_eva02_rectangle', 'eva02_tiny_patch14_224', dict(ref_feat_shape=(6, 9))),
    ('timm_dinov3_rectangle', 'vit_small_plus_patch16_dinov3', {}),
    ('timm_rope_axial_rectangle', 'vit_small_patch16_rope_224', {}),
    ('timm_rope_mixed_rectangle', 'vit_small_patch16_rope_mixed_ape_224', {}),
    ('timm_relative_rectangle', 'vit_relpos_base_patch16_clsgap_224', dict(rel_pos_dim=7)),
    ('timm_beit_rectangle', 'beit_base_patch16_224', {}),
]:
    timm_model(name, architecture, images_of(name), **dict(img_size=(16, 24)) | args)
transformers_model('vit_grey', hf.ViTForImageClassification(hf.ViTConfig(**size, **mlp, **classes, num_channels=1)), images=images_of('vit_grey', 1, width=16))
timm_model('timm_grey_rectangle', vit, images_of('timm_grey_rectangle', 1), {'mean': [0.5], 'std': [0.5]}, img_size=(16, 24), in_chans=1)

# Norms behind attention and MLPs.
timm_model('timm_res_post_norm', 'vit_base_patch16_rpn_224')
timm_model('timm_relative_res_post_norm', 'vit_relpos_small_patch16_rpn_224', rel_pos_dim=7)

# A model of images and texts of Transformers: what its image tower gives is the projected class token.
texts = dict(hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1, vocab_size=4, max_position_embeddings=4, projection_dim=8)
clip = drawn(hf.CLIPModel(hf.CLIPConfig(vision_config=size | mlp | dict(projection_dim=8), text_config=texts, projection_dim=8)))
clip.save_pretrained(folder('clip_projected'))
with torch.no_grad():
    parity['clip_projected'] = hf.CLIPVisionModelWithProjection.from_pretrained(here / 'clip_projected').eval()(pixels).image_embeds.contiguous()

save_file(parity, here / 'parity.safetensors')
