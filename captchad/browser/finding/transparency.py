"""Tells pictures that may have transparent parts, by their bytes."""

_PNG, _WEBP = b"\x89PNG\r\n\x1a\n", b"WEBP"
_PNG_COLOUR_TYPE_AT, _PNG_ALPHA_TYPES = 25, (4, 6)
_HEAD_BYTES = 4096
_WEBP_FLAGS_AT, _WEBP_ALPHA = 20, 0x10


def may_be_transparent(picture: bytes) -> bool:
    """Whether a picture's format and header leave room for transparent parts; animations count as opaque."""
    head = picture[:_HEAD_BYTES]
    if head.startswith(_PNG) and len(head) > _PNG_COLOUR_TYPE_AT and b"acTL" not in head:
        return head[_PNG_COLOUR_TYPE_AT] in _PNG_ALPHA_TYPES or b"tRNS" in head
    if head[8:12] != _WEBP or b"ANIM" in head:
        return False
    has_flags = head[12:16] == b"VP8X" and len(head) > _WEBP_FLAGS_AT
    return head[12:16] == b"VP8L" or (has_flags and bool(head[_WEBP_FLAGS_AT] & _WEBP_ALPHA))
