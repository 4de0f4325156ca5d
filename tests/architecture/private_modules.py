"""A kind of import contract: what a package keeps for itself is imported by no other package."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PrivateModulesContract(Contract):
    """In each subpackage of `container`, modules whose names end in one of `endings` are its own.

    Whoever puts the subpackages together (`composers`, e.g. the application that collects routes) may import them too.
    """

    type_name = "private_modules"

    container = fields.StringField()
    endings = fields.ListField(subfield=fields.StringField())
    composers = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports of private modules from outside their packages."""
        endings: tuple[str, ...] = tuple(self.endings)
        found = [
            f"{importer} imports {private}"
            for private in sorted(graph.find_descendants(self.container))
            if private.endswith(endings) and private.count(".") > 1
            for importer in sorted(graph.find_modules_that_directly_import(private))
            if not importer.startswith(private.rpartition(".")[0] + ".") and importer not in (self.composers or [])
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what was found."""
        found: list[Any] = check.metadata["found"]
        for line in found:
            output.print_error(line)
