"""Django's entry point: the PostgreSQL backend, with the server started before the first connection."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from rld_platform.embedded_postgres import server


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        conn_params["host"] = server.ensure_running(self.settings_dict["DATA_FOLDER"])
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            if "does not exist" not in str(error) or conn_params["dbname"] != "rld":
                raise
            self._create_database(conn_params)
            return super().get_new_connection(conn_params)

    def _create_database(self, conn_params: dict[str, Any]) -> None:
        """A new server has no database of ours yet; two processes may try to make it at once."""
        with psycopg.connect(host=conn_params["host"], user="postgres", dbname="postgres", autocommit=True) as root:
            try:
                root.execute('CREATE DATABASE "rld"')
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return
