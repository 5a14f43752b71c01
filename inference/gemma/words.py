"""Between words and token ids, for Gemma's tokenizer: the prompt's ids, and an answer as it grows.

Knows no model and no batch.
"""

import codecs
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from core.errors import EngineError
from inference import prompt
from inference.engine import Request

#: Gemma's turn marks: what a person types may never become one.
OPENS, CLOSES = "<start_of_turn>", "<end_of_turn>"


class Words:
    """A tokenizer, safe for several threads: the Rust part is called, which keeps no state."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: int | Sequence[int]) -> None:
        """`ends` are the tokens that end an answer."""
        self._ends = frozenset([ends] if isinstance(ends, int) else ends)
        self._tokenizer = tokenizer
        self._plain = tokenizer.backend_tokenizer
        self._opens = self._plain.token_to_id(OPENS)
        self._closes = self._plain.token_to_id(CLOSES)
        added = self._plain.get_added_tokens_decoder()
        self._special = frozenset(number for number, token in added.items() if token.special)

    def count(self, text: str) -> int:
        """How many tokens a text takes."""
        return len(self._plain.encode(text, add_special_tokens=False).ids)

    def ids(self, request: Request, room: int) -> list[int]:
        """The prompt of a request in at most `room` tokens: the memory is trimmed for it.

        Raises EngineError when system prompt and question alone are longer, and when the prompt
        holds a turn mark that is not ours.
        """
        turns = prompt.messages(request, count=self.count, room=room)
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        if len(ids) > room:
            raise EngineError(f"too long: {len(ids)} tokens, the model has room for {room}")
        said = sum(turn["role"] != "system" for turn in turns)
        if ids.count(self._opens) != said + 1 or ids.count(self._closes) != said:
            raise EngineError("the prompt holds a turn mark that nobody may type")
        return ids

    def end(self, tokens: Sequence[int]) -> str:
        """How an answer ended: "stop" by the model's own word, "length" cut off."""
        return "stop" if tokens and tokens[-1] in self._ends else "length"

    def piece(self, token: int) -> bytes:
        """What a token writes. Gemma writes blanks as "▁" and rare signs byte by byte."""
        if token in self._special:
            return b""
        text: str = self._plain.id_to_token(token) or ""
        if len(text) == 6 and text.startswith("<0x") and text.endswith(">"):
            return bytes.fromhex(text[3:5])
        return text.replace("▁", " ").encode()


class Unfolding:
    """An answer that grows token by token; a sign whose bytes are not all there is not shown."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._taken = 0
        self._text = ""

    def take(self, tokens: Sequence[int]) -> str:
        """The text of all tokens so far, of which the new ones are the last."""
        for token in tokens[self._taken :]:
            self._text += self._bytes.decode(self._words.piece(token))
        self._taken = len(tokens)
        return self._text.strip()
