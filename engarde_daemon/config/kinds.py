"""What a setting may be: types with their bounds, whose descriptions tell what is allowed.

Owns the words in which a bad setting is refused.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

Text: TypeAlias = Annotated[str, Meta(description="text")]
NonEmptyText: TypeAlias = Annotated[
    str, Meta(min_length=1, description="text of one or more characters")
]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535, description="a whole number from 1 to 65535")]
Count: TypeAlias = Annotated[
    int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
]
Bytes: TypeAlias = Annotated[
    int, Meta(ge=1024, le=2**50, description="a whole number of bytes, at least 1024")
]
Memory: TypeAlias = Annotated[
    int, Meta(ge=2**28, le=2**40, description="a whole number of bytes, at least 268435456")
]
Pixels: TypeAlias = Annotated[
    int, Meta(ge=1, le=10**9, description="a whole number from 1 to 1000000000")
]
Seconds: TypeAlias = Annotated[
    float, Meta(gt=0, le=86_400, description="a number of seconds above 0, at most 86400")
]
LongSeconds: TypeAlias = Annotated[
    float, Meta(gt=0, le=2_592_000, description="a number of seconds, at most 2592000")
]
Pause: TypeAlias = Annotated[
    float, Meta(ge=0, le=600, description="a number of seconds from 0 to 600")
]
Ratio: TypeAlias = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Dsn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(embedded|postgres(ql)?://.+)$",
        description='"embedded" or a URL like "postgresql://user:password@host:5432/database"',
    ),
]
MediaUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(embedded|(s3|gs)://[^\s/]+\S*|file:///\S+)$",
        description='"embedded" or a URL like "s3://bucket/folder", "gs://bucket" or "file:///folder"',
    ),
]
ServiceUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/]+\S*)?$",
        description='a URL like "https://host/path", or empty',
    ),
]
BodyStoreMode: TypeAlias = Annotated[
    Literal["embedded", "cloud", "local"], Meta(description='"embedded", "cloud" or "local"')
]
NextStoreMode: TypeAlias = Annotated[
    Literal["none", "embedded", "cloud", "local"],
    Meta(description='"none", "embedded", "cloud" or "local"'),
]
AuthScheme: TypeAlias = Annotated[
    Literal["x-api-key", "bearer"], Meta(description='"x-api-key" or "bearer"')
]
BaseUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description='a URL like "https://host/path", without user or query, or empty',
    ),
]
ArchiveMode: TypeAlias = Annotated[
    Literal["embedded", "bigquery"], Meta(description='"embedded" or "bigquery"')
]
DatasetName: TypeAlias = Annotated[
    str, Meta(pattern=r"^\w{1,1024}$", description="letters, digits and underscores")
]
ServiceAddress: TypeAlias = Annotated[
    str, Meta(pattern=r"^([^\s/:]+:[0-9]{1,5})?$", description='text like "host:443", or empty')
]
LogLevel: TypeAlias = Annotated[
    Literal["debug", "info", "warning", "error"],
    Meta(description='"debug", "info", "warning" or "error"'),
]
LogFormat: TypeAlias = Annotated[
    Literal["auto", "json", "console"], Meta(description='"auto", "json" or "console"')
]
StorageLimit: TypeAlias = Annotated[
    Annotated[float, Meta(gt=0, le=1e9)] | Literal["unlimited"],
    Meta(description='a number of GB above 0, or "unlimited"'),
]
WholeLimit: TypeAlias = Annotated[
    Annotated[int, Meta(ge=1, le=2**31 - 1)] | Literal["unlimited"],
    Meta(description='a whole number above 0, or "unlimited"'),
]

Texts: TypeAlias = Annotated[tuple[str, ...], Meta(description="a list of texts")]
Origins: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^(\*|https?://[^\s/*,]+)$")], ...],
    Meta(description='a list of origins like "https://studio.example.com", or ["*"]'),
]
Secret: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^(?s:.{32,})?$", description="a text of 32 or more characters, or empty"),
]
Leeway: TypeAlias = Annotated[
    float, Meta(ge=0, le=300, description="a number of seconds from 0 to 300")
]
Days: TypeAlias = Annotated[
    int, Meta(ge=1, le=36_500, description="a whole number of days from 1 to 36500")
]
SignedSeconds: TypeAlias = Annotated[
    int, Meta(ge=0, le=604_800, description="a whole number of seconds from 0 (never) to 604800")
]
Requests: TypeAlias = Annotated[
    int, Meta(ge=0, le=10_000_000, description="a whole number from 0 (no limit) to 10000000")
]
Switch: TypeAlias = Annotated[bool, Meta(description="true or false")]
Delays: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^[0-9]{1,4}[smhd]$")], ...],
    Meta(max_length=30, description='a list of delays like "5s", "5m", "2h" or "1d"'),
]

ProviderKind: TypeAlias = Annotated[
    Literal["template", "openai", "anthropic", "compatible"],
    Meta(description='"template", "openai", "anthropic" or "compatible"'),
]
Dialect: TypeAlias = Annotated[
    Literal["chat", "responses"], Meta(description='"chat" or "responses"')
]
