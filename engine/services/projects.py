"""Projects and who works in them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from engine import recipes
from engine.models import Membership, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import find_project

CHANGEABLE = ("instructions", "needed_judgements", "recipe")


def create_project(
    *, name: str, user: Any = None, recipe: str = "cpu", needed_judgements: int = 1, instructions: str = ""
) -> Project:
    """A new project with ``user`` as its admin.

    Raises ``Refusal``: 409 ``name_taken``, 400 ``invalid`` or ``unknown_recipe``.
    """
    name = name.strip()
    _check_recipe(recipe)
    project = Project(
        name=name,
        slug=slugify(name)[:140],
        recipe=recipe,
        needed_judgements=needed_judgements,
        instructions=instructions,
    )
    try:
        project.clean_fields()
    except ValidationError as error:
        raise Refusal("invalid", "; ".join(f"{key}: {' '.join(v)}" for key, v in error.message_dict.items())) from error
    try:
        with transaction.atomic():
            project.save(force_insert=True)
            if user is not None:
                Membership.objects.create(project=project, user=user, role=Role.ADMIN)
    except IntegrityError as error:
        raise Refusal("name_taken", f"There is a project named {name!r} already.", 409) from error
    return project


def project_named(name: str) -> Project:
    """The project of this id, slug or name; made when there is none (for commands run by the owner)."""
    return find_project(name) or create_project(name=name)


def change_project(*, project: Project, **changes: Any) -> Project:
    """Change instructions, needed judgements or recipe. Raises ``Refusal`` 400 as ``create_project`` does."""
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise Refusal("invalid", f"These cannot be changed: {', '.join(sorted(unknown))}.")
    if "recipe" in changes:
        _check_recipe(changes["recipe"])
    for name, value in changes.items():
        setattr(project, name, value)
    try:
        project.clean_fields()
    except ValidationError as error:
        raise Refusal("invalid", "; ".join(f"{key}: {' '.join(v)}" for key, v in error.message_dict.items())) from error
    project.save(update_fields=list(changes))
    return project


def set_member(*, project: Project, username: str, role: str) -> Membership:
    """Add a person or change the role. Raises ``Refusal``: ``unknown_user``, ``unknown_role``, ``last_admin``."""
    if role not in Role.values:
        raise Refusal("unknown_role", f"unknown role '{role}'; have: {', '.join(Role.values)}")
    with transaction.atomic():
        user = _user(username)
        if role != Role.ADMIN:
            _refuse_to_lose_the_last_admin(project, user)
        membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    return membership


def remove_member(*, project: Project, username: str) -> None:
    """Raises ``Refusal``: ``unknown_user``, ``last_admin``."""
    with transaction.atomic():
        user = _user(username)
        _refuse_to_lose_the_last_admin(project, user)
        Membership.objects.filter(project=project, user=user).delete()


def _check_recipe(name: str) -> None:
    try:
        recipes.find(name)
    except recipes.UnknownRecipe as error:
        raise Refusal(error.code, str(error)) from error


def _user(username: str) -> Any:
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise Refusal("unknown_user", f"There is nobody with the user name {username!r}.")
    return user


def _refuse_to_lose_the_last_admin(project: Project, user: Any) -> None:
    """Locks the admins' rows, so that two admins cannot remove each other at once."""
    admins = list(Membership.objects.select_for_update().filter(project=project, role=Role.ADMIN))
    if len(admins) == 1 and admins[0].user_id == user.pk:
        raise Refusal("last_admin", "A project needs at least one admin.", 409)
