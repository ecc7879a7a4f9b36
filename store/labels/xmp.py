"""The label inside an XMP packet (ISO 16684-1): property `AIGC` of TC260's namespace."""

from typing import Any
from xml.parsers.expat import ExpatError

import defusedxml.minidom  # type: ignore[import-untyped, unused-ignore]

from store.labels.label import KEY
from store.labels.refusal import damaged, refusing

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
PREFIX = "TC260"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMLNS = "http://www.w3.org/2000/xmlns/"
COMPLAINTS = (ExpatError, ValueError, LookupError, AttributeError, RecursionError)

LARGEST_BYTES = 512 << 10  # a tree takes about a hundred times as much

EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'.encode()
HEADER = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
TRAILER = b'\n<?xpacket end="w"?>'


def merge(packet: bytes | None, text: str) -> bytes:
    """A packet with this label, in place of any it had; its other properties stay."""
    with refusing(*COMPLAINTS):
        document = _parse(packet or EMPTY)
        for attribute in _attributes(document):
            attribute.ownerElement.removeAttributeNode(attribute)
        for element in _elements(document):
            element.parentNode.removeChild(element)
        label = document.createElementNS(NAMESPACE, f"{PREFIX}:{KEY}")
        label.setAttributeNS(XMLNS, f"xmlns:{PREFIX}", NAMESPACE)
        label.appendChild(document.createTextNode(text))
        _description(document).appendChild(label)
        merged: bytes = document.documentElement.toxml("utf-8")
        return HEADER + merged + TRAILER


def find(packet: bytes) -> str | None:
    """The label's text, when the packet has exactly one."""
    with refusing(*COMPLAINTS):
        document = _parse(packet)
        found = [attribute.value for attribute in _attributes(document)]
        found += ["".join(getattr(part, "data", "") for part in node.childNodes) for node in _elements(document)]
    return found[0] if len(found) == 1 else None


def _parse(packet: bytes) -> Any:
    """A document; nodes are `Any`, as their places in it are what counts."""
    if len(packet) > LARGEST_BYTES:
        raise damaged()
    return defusedxml.minidom.parseString(packet.rstrip(b"\0"), forbid_dtd=True)


def _attributes(document: Any) -> list[Any]:
    """The label as an attribute, which is how some writers put it."""
    nodes = (element.getAttributeNodeNS(NAMESPACE, KEY) for element in document.getElementsByTagName("*"))
    return [node for node in nodes if node is not None]


def _elements(document: Any) -> list[Any]:
    return list(document.getElementsByTagNameNS(NAMESPACE, KEY))


def _description(document: Any) -> Any:
    """The packet's first description, made if there is none."""
    root = next(iter(document.getElementsByTagNameNS(RDF, "RDF")), None)
    if root is None:
        raise damaged()
    for child in root.childNodes:
        if (child.namespaceURI, child.localName) == (RDF, "Description"):
            return child
    prefix = f"{root.prefix}:" if root.prefix else ""
    made = document.createElementNS(RDF, f"{prefix}Description")
    made.setAttributeNS(RDF, f"{prefix}about", "")
    return root.appendChild(made)
