"""What generated code imports: a promise that every runtime of one major version keeps.

Names are added here, never taken away or changed within a major version.
"""

from __future__ import annotations

# what a generated `connect` takes is one of them, or a list
from ampgen.runtime.addresses import Addresses as Address
from ampgen.runtime.blocking import BlockingClient
from ampgen.runtime.blockingstreams import BlockingStream
from ampgen.runtime.client import Client
from ampgen.runtime.command import (
    DEFAULT,
    Command,
    DeclaredError,
    Items,
    Timeout,
    no_results_read,
    no_results_written,
)
from ampgen.runtime.compatible import deprecated, require_runtime
from ampgen.runtime.composites import (
    closed_enum_decoder,
    closed_enum_encoder,
    decode_boxes,
    decode_deep_list,
    decode_deep_map,
    decode_list,
    decode_map,
    decode_one,
    decode_strs,
    encode_boxes,
    encode_deep_list,
    encode_deep_map,
    encode_list,
    encode_map,
    encode_strs,
    open_enum_decoder,
    open_enum_encoder,
)
from ampgen.runtime.connecting import Connecting, ConnectOptions, LocalOptions
from ampgen.runtime.connection import current_call
from ampgen.runtime.errors import (
    FAULTS,
    CommandError,
    fault_at,
    missing,
    too_deep,
    unknown_member,
    wrong_type,
)
from ampgen.runtime.incoming import Stream
from ampgen.runtime.jsonvalue import Json, decode_json, encode_json
from ampgen.runtime.large import LargeBox, get_large
from ampgen.runtime.records import maker
from ampgen.runtime.reflection import SchemaSource
from ampgen.runtime.services import Server
from ampgen.runtime.values import (
    decode_bool,
    decode_bytes,
    decode_date,
    decode_datetime,
    decode_decimal,
    decode_duration,
    decode_fd,
    decode_float,
    decode_int,
    decode_path,
    decode_str,
    decode_uuid,
    encode_bool,
    encode_bytes,
    encode_date,
    encode_datetime,
    encode_decimal,
    encode_duration,
    encode_fd,
    encode_float,
    encode_int,
    encode_path,
    encode_str,
    encode_uuid,
)
from ampgen.runtime.wire import SIZE, get_whole, read_box, read_only_pair, read_rest

__all__ = [
    "DEFAULT",
    "FAULTS",
    "SIZE",
    "Address",
    "BlockingClient",
    "BlockingStream",
    "Client",
    "Command",
    "CommandError",
    "ConnectOptions",
    "Connecting",
    "DeclaredError",
    "Items",
    "Json",
    "LargeBox",
    "LocalOptions",
    "SchemaSource",
    "Server",
    "Stream",
    "Timeout",
    "closed_enum_decoder",
    "closed_enum_encoder",
    "current_call",
    "decode_bool",
    "decode_boxes",
    "decode_bytes",
    "decode_date",
    "decode_datetime",
    "decode_decimal",
    "decode_deep_list",
    "decode_deep_map",
    "decode_duration",
    "decode_fd",
    "decode_float",
    "decode_int",
    "decode_json",
    "decode_list",
    "decode_map",
    "decode_one",
    "decode_path",
    "decode_str",
    "decode_strs",
    "decode_uuid",
    "deprecated",
    "encode_bool",
    "encode_boxes",
    "encode_bytes",
    "encode_date",
    "encode_datetime",
    "encode_decimal",
    "encode_deep_list",
    "encode_deep_map",
    "encode_duration",
    "encode_fd",
    "encode_float",
    "encode_int",
    "encode_json",
    "encode_list",
    "encode_map",
    "encode_path",
    "encode_str",
    "encode_strs",
    "encode_uuid",
    "fault_at",
    "get_large",
    "get_whole",
    "maker",
    "missing",
    "no_results_read",
    "no_results_written",
    "open_enum_decoder",
    "open_enum_encoder",
    "read_box",
    "read_only_pair",
    "read_rest",
    "require_runtime",
    "too_deep",
    "unknown_member",
    "wrong_type",
]
