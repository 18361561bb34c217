"""Documentation that follows from other files is in step with them."""

import re

from places import ROOT

from slowpoints.config_page import PAGE, page
from slowpoints.modes import MODES
from slowpoints.protocols import PROTOCOLS
from slowpoints.storage import SCHEMAS


def test_the_page_on_configuration_is_up_to_date():
    assert PAGE.read_text() == page(), "run `make docs`"


def test_the_schema_knows_what_the_library_knows():
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text()
    assert f"enum: [{', '.join(PROTOCOLS)}]" in text
    assert f"enum: [{', '.join(MODES)}]" in text


def test_every_column_is_explained():
    text = (ROOT / "docs/tables.md").read_text()
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    for table, row in rows.items():
        for column in SCHEMAS[table]:
            shown = column.removesuffix("_after") if table == "regularisation" else column
            if table == "task" and column in ("height", "width", "channels", "image"):
                continue
            assert re.search(rf"`{shown}|\b{shown}\b|\bcell\b.*", row), f"{table}: {column}"
            if column not in ("dataset", "architecture", "protocol"):
                assert shown in row, f"{table}: {column} is not explained"
