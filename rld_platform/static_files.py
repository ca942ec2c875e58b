"""Static files under hashed names, so that browsers keep them for ever; imports between ES modules are followed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
