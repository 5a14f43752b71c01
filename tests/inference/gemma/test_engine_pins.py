"""What the engine uses of the insides of transformers' batching: look again when this fails."""

import inspect
from dataclasses import fields

import pytest
import transformers
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation import continuous_batching
from transformers.generation.continuous_batching import (
    cache,
    cache_manager,
    cb_logits_processors,
    continuous_api,
    input_outputs,
    requests,
    scheduler,
    utils,
)

MANAGER = continuous_api.ContinuousBatchingManager
NAMES = [
    (MANAGER, "add_request cancel_request is_running _run_generation_loop _generation_step"),
    (continuous_api.OutputRouter, "deliver deliver_batch fail_and_deliver"),
    (continuous_api.BackgroundThreadStatus, "clear request_stop HARD_STOP"),
    (cache.PagedAttentionCache, "get_num_free_blocks blocks_needed"),
    (transformers.AttentionInterface, "register"),
    (cache.PagedAttentionMemoryHandler, "_solve_for_peaks"),
    (requests.FutureRequestState, "state has_new_token query_length"),
]


def test_the_version_is_the_one_that_was_read():
    assert transformers.__version__ == "5.17.0"


@pytest.mark.parametrize(("owner", "names"), NAMES, ids=lambda each: getattr(each, "__name__", ""))
def test_what_is_used_is_there(owner, names):
    assert not [name for name in names.split() if not hasattr(owner, name)]


def source(thing: object) -> str:
    return " ".join(inspect.getsource(thing).split())  # type: ignore[arg-type]


ORDER = [
    # The step is ours to wrap: the batch is laid out just before it, by the same thread.
    (MANAGER._generation_loop_body, "prepare_next_batch() if requests_available: self._gen"),
    (input_outputs.ContinuousBatchingIOs.prepare_batch_tensors, "input_ids.extend(state.tokens"),
    (input_outputs.ContinuousBatchingIOs.prepare_batch_tensors, "requests_in_batch.append(future"),
    # Rows of scores are the requests with a new token, in their order.
    (
        input_outputs.ContinuousBatchingIOs.prepare_batch_tensors,
        "if future_state.has_new_token: logits_indices.append(",
    ),
    (
        cb_logits_processors.ContinuousBatchingLogitsProcessorList.__call__,
        "scores = processor(input_ids, scores)",
    ),
    # Requests that write come before those that read, and their places lie in that order.
    (scheduler.FIFOScheduler.schedule_batch, "priority_states + second_priority_states"),
    (
        input_outputs.ContinuousBatchingIOs.prepare_batch_tensors,
        "state.position_offset += query_length",
    ),
    # A layer with a window has a mark in place of its new tokens, behind what is past.
    (
        cache_manager.SlidingAttentionCacheAllocator.get_read_indices,
        "physical_indices + [self.sentinel_index] * query_length",
    ),
    # Only under these names a mask is made, of every token by every other.
    (utils.attn_mask_is_needed, '_attn_implementation in ["paged|eager", "paged|sdpa"]'),
    # The router is handed on when the loop starts, so it may be replaced before.
    (MANAGER._create_batch_processor, "output_router=self.output_router"),
    (MANAGER._run_generation_loop, "self._handle_critical_error(e, batch_processor)"),
]


@pytest.mark.parametrize(("method", "words"), ORDER)
def test_what_is_relied_on_stands(method, words):
    assert words in source(method)


def test_requests_keep_their_id_when_they_start_again():
    state = requests.RequestState("r1", [1, 2, 3], max_new_tokens=5)
    state.generated_tokens = [7]
    again = state.create_equivalent_initial_request()
    assert again.request_id == "r1"
    assert again.to_generation_output().generated_tokens == [7]


def test_every_option_of_the_plan_is_known():
    known = {each.name for each in fields(ContinuousBatchingConfig)}
    assert {
        "block_size",
        "num_blocks",
        "max_batch_tokens",
        "max_requests_per_batch",
        "allow_block_sharing",
        "use_async_batching",
        "use_cuda_graph",
    } <= known
    assert GenerationConfig(do_sample=False).do_sample is False
    assert continuous_batching.ContinuousBatchingManager is MANAGER
