"""Detectors, segmenters, depth."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.engine.tiny_networks.tokenizers import bert_tokenizer, clip_tokenizer


def rf_detr(place: Path) -> None:
    from transformers import RfDetrConfig, RfDetrForInstanceSegmentation, RfDetrImageProcessor

    config = RfDetrConfig(
        backbone_config={
            "model_type": "rf_detr_dinov2",
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 8,
            "num_windows": 2,
            "out_features": ["stage1", "stage2"],
        },
        d_model=32,
        decoder_layers=2,
        decoder_ffn_dim=32,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=2,
        decoder_n_points=2,
        num_queries=8,
        group_detr=1,
        c2f_num_blocks=1,
        intermediate_size=32,
        id2label={0: "cup", 1: "cat", 2: "person"},
        label2id={"cup": 0, "cat": 1, "person": 2},
    )
    network = RfDetrForInstanceSegmentation(config)
    spread(network, "class_embed", 2.0)
    network.save_pretrained(place)
    RfDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(place)


def grounding_dino(place: Path) -> None:
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, GroundingDinoImageProcessor

    words = bert_tokenizer(place)
    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 4,
            "out_indices": [2, 3, 4],
            "image_size": 64,
        },
        text_config={
            "model_type": "bert",
            "vocab_size": words,
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
        },
        d_model=32,
        encoder_layers=1,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        num_queries=8,
        disable_custom_kernels=True,
    )
    GroundingDinoForObjectDetection(config).save_pretrained(place)
    GroundingDinoImageProcessor(size={"shortest_edge": 80, "longest_edge": 128}).save_pretrained(place)


def owlv2(place: Path) -> None:
    from transformers import CLIPTokenizer, Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor, Owlv2Processor

    words = clip_tokenizer(place, 16)
    config = Owlv2Config(
        text_config={
            "vocab_size": words,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "bos_token_id": words - 2,
            "eos_token_id": words - 1,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 16,
        },
        projection_dim=32,
    )
    network = Owlv2ForObjectDetection(config)
    spread(network, "box_head", 0.05)
    network.save_pretrained(place)
    processor = Owlv2Processor(
        Owlv2ImageProcessor(size={"height": 64, "width": 64}), CLIPTokenizer.from_pretrained(place)
    )
    processor.save_pretrained(place)


def sam3(place: Path) -> None:
    from transformers import Sam3Config, Sam3ImageProcessor, Sam3Model

    words = clip_tokenizer(place, 16)
    small = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32, "num_layers": 1}
    config = Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": 32,
                "intermediate_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": 56,
                "pretrain_image_size": 28,
                "patch_size": 14,
                "window_size": 2,
                "global_attn_indexes": [1],
            },
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        },
        text_config={
            "vocab_size": words,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 16,
            "projection_dim": 32,
            "bos_token_id": words - 2,
            "eos_token_id": words - 1,
        },
        geometry_encoder_config=small,
        detr_encoder_config=small,
        detr_decoder_config={**small, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2, "num_upsampling_stages": 3},
    )
    Sam3Model(config).save_pretrained(place)
    Sam3ImageProcessor(size={"height": 56, "width": 56}).save_pretrained(place)


def sam2(place: Path) -> None:
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model

    config = Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 8,
                "image_size": [64, 64],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [8, 4, 8, 4],
                "global_attention_blocks": [3],
            },
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 64, "patch_size": 16, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16},
    )
    Sam2Model(config).save_pretrained(place)
    Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16}).save_pretrained(place)


def segment_anything(place: Path) -> None:
    from functools import partial

    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    network = Sam(
        image_encoder=ImageEncoderViT(
            depth=2,
            embed_dim=16,
            img_size=64,
            mlp_ratio=2,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=2,
            patch_size=16,
            qkv_bias=True,
            use_rel_pos=True,
            global_attn_indexes=(1,),
            window_size=2,
            out_chans=32,
        ),
        prompt_encoder=PromptEncoder(32, (4, 4), (64, 64), 8),
        mask_decoder=MaskDecoder(
            transformer_dim=32,
            transformer=TwoWayTransformer(depth=1, embedding_dim=32, num_heads=8, mlp_dim=16),
            iou_head_depth=2,
            iou_head_hidden_dim=16,
        ),
    )
    torch.save(network.state_dict(), place / "sam_tiny.pth")


def depth_anything(place: Path) -> None:
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

    config = DepthAnythingConfig(
        backbone_config={
            "model_type": "dinov2",
            "hidden_size": 16,
            "num_hidden_layers": 4,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
            "out_indices": [1, 2, 3, 4],
            "apply_layernorm": True,
            "reshape_hidden_states": False,
        },
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 16, 16],
        fusion_hidden_size=8,
        head_hidden_size=4,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(place)
    DPTImageProcessor(size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14).save_pretrained(
        place
    )


def spread(network: torch.nn.Module, part: str, by: float) -> None:
    """Scale the random weights of some layers, so that a tiny network is sure of something."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if part in name:
                parameter.normal_(0.0, by)
