"""One prompt, one layer: asked here, answered by a worker."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import refused
from engine.api.layers import LayerSerializer
from engine.api.repairs import MaskRuns
from engine.records import PromptKind
from engine.refusals import Refusal
from training import predictors
from training.models import JobStatus, Prediction
from training.selectors.predictions import image_to_ask, prediction_for
from training.services.leases import cancel
from training.services.prediction_documents import FORMATS, MOST_LAYERS, Wanted, document_of
from training.services.predictions import ask
from training.services.saved_predictions import save_as_layer

WHY_400 = (
    "`unknown_checkpoint`, `prompt_outside`, `empty_prompt`, `empty_box`, `empty_mask`, `mask_size`, `bad_mask`, "
    "`bad_prompt`, `negative_points`, `text_only`"
)


class PromptShape(serializers.Serializer[Any]):
    """For the document: `training.prompt_json` reads prompts and names what is wrong with them."""

    kind = serializers.ChoiceField(
        [(kind.value, kind.value) for kind in PromptKind],
        required=False,
        help_text="Needed for the background only; elsewhere the parts say it.",
    )
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), required=False, help_text="[[x, y], ...]"
    )
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True, required=False)
    mask = MaskRuns(allow_null=True, required=False, help_text="The background without what it marks, or an object.")
    text = serializers.CharField(required=False)


@extend_schema_field(PromptShape)
class PromptField(serializers.JSONField):
    """Taken as it comes."""


class NewPrediction(serializers.Serializer[Any]):
    image = serializers.UUIDField()
    prompt = PromptField()
    checkpoint = serializers.CharField(
        max_length=100, default=predictors.DEFAULT, help_text="`cpu` asks the engine's recipe for comparison."
    )


class PredictedLayer(serializers.ModelSerializer[Prediction]):
    class Meta:
        model = Prediction
        fields = ("sha256", "rgba", "visible_mask", "box", "area_share", "hidden_share", "soft_share")
        read_only_fields = fields


class PredictionAnswer(serializers.ModelSerializer[Prediction]):
    prompt = PromptField()
    is_live = serializers.BooleanField(read_only=True)
    layer = serializers.SerializerMethodField(help_text="Once it is finished.")

    class Meta:
        model = Prediction
        fields = (
            "id",
            "image",
            "checkpoint",
            "prompt",
            "status",
            "is_live",
            "reason",
            "layer",
            "seconds",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field(PredictedLayer(allow_null=True))
    def get_layer(self, prediction: Prediction) -> Any:
        if prediction.status != JobStatus.FINISHED:
            return None
        return PredictedLayer(prediction, context=self.context).data


class PlacedLayer(serializers.Serializer[Any]):
    prediction = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    dx = serializers.IntegerField(default=0, min_value=-100_000, max_value=100_000, help_text="To the right, in px.")
    dy = serializers.IntegerField(default=0, min_value=-100_000, max_value=100_000, help_text="Down, in px.")


class NewDocument(serializers.Serializer[Any]):
    format = serializers.ChoiceField(FORMATS)
    layers = serializers.ListField(
        child=PlacedLayer(), allow_empty=False, max_length=MOST_LAYERS, help_text="Front to back."
    )


class NewLayer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, help_text="What it is: the layer's label.")
    depth = serializers.IntegerField(default=0, min_value=0, max_value=999, help_text="0 is the foremost.")


class Predictions(APIView):
    @extend_schema(
        request=NewPrediction,
        responses={
            201: PredictionAnswer,
            **refused(400, why=WHY_400),
            **refused(401, 403, 404),
            **refused(429, why="`too_many_waiting`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask a checkpoint for the layer that a prompt means; the answer is at the id, mostly within a second."""
        body = NewPrediction(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        prediction = ask(
            user=request.user,
            image=image_to_ask(request.user, given["image"]),
            prompt=given["prompt"],
            checkpoint=given["checkpoint"],
        )
        return Response(PredictionAnswer(prediction, context={"request": request}).data, status.HTTP_201_CREATED)


class PredictionById(APIView):
    @extend_schema(responses={200: PredictionAnswer, **refused(401, 404)})
    def get(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """One's own; `layer` is there once `status` is `finished`, `reason` says why one failed."""
        prediction = prediction_for(request.user, prediction_id)
        return Response(PredictionAnswer(prediction, context={"request": request}).data)


class CancelPrediction(APIView):
    @extend_schema(
        request=None, responses={200: PredictionAnswer, **refused(401, 404), **refused(409, why="`not_live`")}
    )
    def post(self, request: Request, prediction_id: uuid.UUID) -> Response:
        prediction = prediction_for(request.user, prediction_id)
        if not cancel(prediction):
            raise Refusal("not_live", "This prediction is over already.", 409)
        prediction.refresh_from_db()
        return Response(PredictionAnswer(prediction, context={"request": request}).data)


class PredictionLayer(APIView):
    @extend_schema(
        request=NewLayer,
        responses={
            201: LayerSerializer,
            200: OpenApiResponse(LayerSerializer, description="It was saved before."),
            **refused(400, why="`unknown_checkpoint`: it is gone"),
            **refused(401, 403, 404),
            **refused(409, why="`not_finished`, `nothing_found`"),
        },
    )
    def post(self, request: Request, prediction_id: uuid.UUID) -> Response:
        """Make the answer a layer of the project; anybody but who asked for it may judge it."""
        body = NewLayer(data=request.data)
        body.is_valid(raise_exception=True)
        prediction = prediction_for(request.user, prediction_id)
        given = body.validated_data
        layer, is_new = save_as_layer(
            user=request.user, prediction=prediction, label=given["name"], depth=given["depth"]
        )
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(LayerSerializer(layer, context={"request": request}).data, code)


class PredictionDocument(APIView):
    @extend_schema(
        request=NewDocument,
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            **refused(400, why="`other_picture`"),
            **refused(401, 404),
            **refused(409, why="`not_finished`"),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Several answers about one picture as one document, each layer moved as it says."""
        body = NewDocument(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        wanted = [Wanted(**layer) for layer in given["layers"]]
        data = document_of(user=request.user, format=given["format"], wanted=wanted)
        name = f"layers.{given['format']}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(data, content_type="application/octet-stream", headers=headers)
