# For a machine that has only Python and make: both tools, hatch and tox, are fetched first.
# With them installed, the two commands are `hatch run llmspell run examples/hello.lua` and `tox`.

SCRIPT ?= examples/hello.lua
TOOLS := .tools/bin

.PHONY: run test bench soak
run: $(TOOLS)/tox
	@$(TOOLS)/hatch run llmspell run $(SCRIPT)

test: $(TOOLS)/tox
	@$(TOOLS)/tox

# What things cost, as ratios to what each is measured against.
bench: $(TOOLS)/tox
	@$(TOOLS)/hatch run bench:python benchmarks/run.py

# The same things over and over: memory and handles must not grow.
soak: $(TOOLS)/tox
	@$(TOOLS)/hatch run python benchmarks/soak.py

$(TOOLS)/tox:
	@python3 -m venv .tools
	@$(TOOLS)/pip install -qq "hatch>=1.18" "tox>=4.25" "tox-uv>=1.20"
