"""The one declarative base of all tables, and the words their columns are written in."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKey, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

Json = dict[str, Any]
JsonList = list[Any]

# What most tables point at, and what becomes of a row when that goes.
WorkspaceRef = Annotated[
    UUID, mapped_column(ForeignKey("public.workspaces.id", ondelete="CASCADE"))
]
AccountRef = Annotated[
    UUID, mapped_column(ForeignKey("public.connected_social_accounts.id", ondelete="CASCADE"))
]
UserRef = Annotated[UUID, mapped_column(ForeignKey("auth.users.id", ondelete="SET NULL"))]

# Server defaults that many columns share.
NOW = text("now()")
UTC_NOW = text("timezone('utc', now())")
RANDOM_UUID = text("gen_random_uuid()")
UUID_V4 = text("uuid_generate_v4()")
ZERO = text("0")
TRUE = text("true")
FALSE = text("false")
EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_LIST = text("'[]'::jsonb")
EMPTY_TEXTS = text("'{}'::text[]")
NO_TEXTS = text("ARRAY[]::text[]")


class Base(DeclarativeBase):
    """Base of every table in schema ``public``. Hot SQL lives in the repositories, not here."""

    metadata = MetaData(
        schema="public",
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        UUID: Uuid,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        JsonList: JSONB,
        list[str]: ARRAY(Text),
        list[UUID]: ARRAY(Uuid),
    }
