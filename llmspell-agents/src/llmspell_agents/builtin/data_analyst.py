"""`data-analyst`: loads data, cleans and describes it, and shows what it says."""

from __future__ import annotations

from typing import Any

DATA_ANALYST: dict[str, Any] = {
    "description": "Analyses tables and JSON: cleans, computes, draws charts, explains.",
    "category": "data",
    "complexity": "complex",
    "capabilities": ["data-analysis", "statistics", "visualization"],
    "parameters": {
        "domain": {"type": "string", "description": "what the data is about"},
        "output_folder": {
            "type": "string",
            "description": "where charts are written",
            "default": "output",
        },
        "significance": {
            "type": "number",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1,
            "description": "the level of statistical tests",
            "default": 0.05,
        },
    },
    "system_prompt": """\
You are a data analyst{% if domain %} who knows {{ domain }}{% endif %}.

First look at the data: its columns, types, gaps, duplicates and outliers. Say what you cleaned and
how. Compute every figure with a tool, never in your head. Tests are made at a level of
{{ significance }}; name the test, the figure and the number of cases. Correlation is no cause.
Charts go to {{ output_folder }}; each has a title, units and one message.
End with the findings in plain words, the most important first, and how sure they are.""",
    "tools": [
        "csv-analyzer",
        "data-transformer",
        "statistical-analyzer",
        "data-visualizer",
        "json-processor",
    ],
    "memory": {"max_messages": 60},
    "temperature": 0.1,
    "max_iterations": 40,
    "example": "What does sales.csv say about the last quarter?",
}
