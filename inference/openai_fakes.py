"""For tests: a server that answers as vLLM or SGLang do, over real HTTP on 127.0.0.1.

Knows their adapters, status codes and sentences (vLLM 0.33, SGLang 0.5) and the ways in which a
server goes wrong; the HTTP itself is in `openai_fake_http`. Writes no sense: every answer names the
adapter or model that "wrote" it.
"""

import threading
import time
from pathlib import Path
from typing import Any

from inference.openai_fake_http import Listener


class FakeServer:
    """Set `mode` while it runs: well, busy, full, hang, stall, trickle, die, garbage, fault,
    silent (no usage, no [DONE]), plain (does not stream), base (forgets adapters) or broken (500).

    `asked` holds every chat completion's body and `orders` every load and unload; `dropped` counts
    callers who hung up, `lines` connections. `lora` False: started without adapters. `lists` False:
    an SGLang that does not tell which adapters it holds. `adapters` is by name, with paths; a path
    is good where an `adapter_config.json` is in it and it is not in `broken_paths`.
    """

    def __init__(self, kind: str = "vllm", model: str = "gemma", *, key: str = "") -> None:
        self.kind, self.model, self.key = kind, model, key
        self.mode = "well"
        self.lora = self.lists = True
        self.pace = self.load_seconds = 0.0
        self.words = 6
        self.room = 4096
        self.broken_paths: set[str] = set()
        self.adapters: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.orders: list[tuple[str, str]] = []
        self.dropped = self.lines = 0
        self.port = 0
        self._http: Listener | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "FakeServer":
        """Listen, on the same port each time; without adapters, as a server that was restarted."""
        self.adapters = {}
        self._http = Listener(self, self.port)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Break off everything, as a killed process does."""
        if self._http:
            self._http.shutdown()
            self._http.server_close()
            self._http.hang_up()
            self._http = None

    def __enter__(self) -> "FakeServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def written_by(self, model: str) -> str | None:
        """The name of the base model or adapter that a question's `model` means; None: no such."""
        base, colon, adapter = model.partition(":")
        if self.kind == "sglang":
            # SGLang does not look at the base's name at all.
            return base if not colon else adapter if adapter in self.adapters else None
        return model if model == self.model or model in self.adapters else None

    def cards(self) -> list[dict[str, Any]]:
        """What /v1/models lists."""
        base: dict[str, Any] = {"id": self.model, "root": self.model, "max_model_len": self.room}
        shown = self.adapters if self.lists else {}
        cards = [base, *({"id": n, "root": p, "parent": self.model} for n, p in shown.items())]
        return [card | {"object": "model", "owned_by": self.kind} for card in cards]

    def load(self, name: str, path: str) -> tuple[int, str]:
        """Status and sentence of an order to load an adapter."""
        if not name or not path:
            return 400, "Both 'lora_name' and 'lora_path' must be provided."
        self.orders.append(("load", name))
        time.sleep(self.load_seconds)
        if name in self.adapters:
            return 400, self._there(name)
        if not Path(path, "adapter_config.json").exists():
            return 404, f"Loading lora {name} failed: No adapter found for {path}"
        if path in self.broken_paths:
            return 500, "LoRA rank 64 is greater than max_lora_rank 32."
        self.adapters = {**self.adapters, name: path}
        return 200, f"Success: LoRA adapter '{name}' added successfully."

    def unload(self, name: str) -> tuple[int, str]:
        """Status and sentence of an order to let an adapter go."""
        self.orders.append(("unload", name))
        if name not in self.adapters:
            return 404, f"The lora adapter '{name}' cannot be found."
        self.adapters = {n: path for n, path in self.adapters.items() if n != name}
        return 200, f"Success: LoRA adapter '{name}' removed successfully."

    def _there(self, name: str) -> str:
        if self.kind == "sglang":
            return f"Failed to load LoRA adapter {name} because it is already loaded"
        return (
            f"The lora adapter '{name}' has already been loaded. If you want to load the adapter "
            "in place, set 'load_inplace' to True."
        )
