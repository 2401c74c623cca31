"""The survey of a model: every number against a dense reference, and the same records whatever the executor."""

import json
import math
import re
import sys
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from entrenar_viz import (
    NM,
    Block,
    Column,
    Cubic,
    EntrenarVizError,
    Gradual,
    LayerSurvey,
    OneShot,
    PruningConfig,
    Row,
    StepError,
    Unstructured,
    WeightsError,
    iter_survey,
    load_weights,
    prune_mask,
    survey,
)
from entrenar_viz.masks import bands
from entrenar_viz.workers import AHEAD
from tests.strategies import FRACTIONS, patterns

RNG = np.random.default_rng(11)
HALF = PruningConfig(target_sparsity=0.5)


def config(pattern=Unstructured(), sparsity=0.5, **fields):  # noqa: B008 - frozen
    return PruningConfig(target_sparsity=sparsity, pattern=pattern, **fields)


def one(weights, settings=HALF, **arguments) -> LayerSurvey:
    (record,) = iter_survey({"fc": weights}, settings, **arguments)
    return record


def checkpoint(folder):
    """Four shards: bfloat16, float8 and float32 weights, an embedding, and one layer with NaN."""
    broken = np.ones((4, 8), np.float32)
    broken[2, 3] = np.nan
    arrays = {
        "model.embed_tokens.weight": np.ones((16, 8), ml_dtypes.bfloat16),
        "h.0.weight": RNG.standard_normal((64, 48)).astype(ml_dtypes.bfloat16),
        "h.0.bias": np.ones(3, np.float32),
        "h.1.weight": RNG.standard_normal((24, 8)).astype(ml_dtypes.float8_e4m3fn),
        "h.2.weight": broken,
        "h.3.weight": RNG.standard_normal((6, 5)).astype(np.float32),
    }
    places = {name: f"{i % 4}.safetensors" for i, name in enumerate(arrays)}
    for file in set(places.values()):
        save_file({name: arrays[name] for name in arrays if places[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


# The numbers ---------------------------------------------------------------------------------------------------------


def reference(weights, settings, sparsity, activations=None, within="tensor"):
    """The same record, from the dense mask."""
    matrix = weights.reshape(len(weights), -1).astype(np.float64)
    needed = activations if settings.method != "magnitude" else None
    mask = prune_mask(
        matrix.astype(np.float32), sparsity, settings.pattern, settings.method, activations=needed, within=within
    )
    pruned = np.where(mask, matrix, 0)
    energy = np.square(matrix).sum()
    found = {
        "achieved": 1 - mask.mean(),
        "kept_energy": np.square(pruned).sum() / energy if energy else 1.0,
        "dead_rows": np.count_nonzero(~mask.any(axis=1)),
        "dead_columns": np.count_nonzero(~mask.any(axis=0)),
    }
    if activations is not None:
        outputs = np.square(activations @ matrix.T).sum()
        found["output_error"] = np.square(activations @ (matrix - pruned).T).sum() / outputs
    return found


def assert_same(record, expected):
    got = {name: getattr(record, name) for name in expected}
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-12)


@st.composite
def layers(draw):
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    values = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape)
    return (np.round(values) if draw(st.booleans()) else values).astype(np.float32)  # rounded: full of ties


@given(layers(), patterns(), FRACTIONS, st.sampled_from([1, 7, 64, 1 << 18]))
@settings(max_examples=200)
def test_every_pattern_is_the_dense_mask_in_bands_of_any_size(weights, pattern, sparsity, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands.band_starts, "__defaults__", (size,))
        patch.setattr(bands, "SMALL", size % 2 << 16)  # what is counted, and what is put in order
        record = one(weights, config(pattern, sparsity))
    if not np.float32(sparsity):
        assert (record.achieved, record.kept_energy, record.reason) == (0, 1, "")
        return
    if record.achieved is None:
        with pytest.raises(WeightsError, match=f"^{re.escape(record.reason)}$"):
            prune_mask(weights, sparsity, pattern)
        return
    assert_same(record, reference(weights, config(pattern), sparsity))


@given(st.lists(st.floats(0, width=32), min_size=1, max_size=60), st.data())
def test_the_nth_smallest(values, data):
    scores = np.array(values, np.float32)
    count = data.draw(st.integers(1, len(values)))
    parts = np.array_split(scores, data.draw(st.integers(1, 5)))
    assert bands.nth_smallest(lambda: parts, [count]) == [np.sort(scores)[count - 1]]


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
@pytest.mark.parametrize("within", ["tensor", "row"])
def test_methods_with_activations(method, within):
    weights, activations = (RNG.standard_normal(shape, np.float32) for shape in ((40, 12), (30, 12)))
    settings = config(method=method)
    record = one(weights, settings, calibration={"fc": activations}, within=within)
    assert_same(record, reference(weights, settings, 0.5, activations, within))


def test_activations_are_multiplied_in_parts(monkeypatch):
    monkeypatch.setattr("entrenar_viz.model_survey.losses._PRODUCT", 100)
    weights, activations = (RNG.standard_normal(shape, np.float32) for shape in ((40, 12), (31, 12)))
    record = one(weights, calibration={"fc": activations})
    assert_same(record, reference(weights, HALF, 0.5, activations))


def test_norms_are_enough_for_wanda_but_say_nothing_of_outputs():
    weights, norms = RNG.standard_normal((8, 6), np.float32), np.arange(1, 7, dtype=np.float32)
    record = one(weights, config(method="wanda"), calibration={"fc": norms})
    assert record.output_error is None
    mask = prune_mask(weights, 0.5, method="wanda", activations=norms)
    assert record.kept_energy == pytest.approx(np.square(weights[mask]).sum() / np.square(weights).sum())


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float16", "float64"])
def test_stored_formats_are_surveyed_as_they_are(tmp_path, dtype):
    array = RNG.standard_normal((32, 16)).astype(getattr(ml_dtypes, dtype, dtype))
    save_file({"fc": array}, tmp_path / "m.safetensors")
    (record,) = iter_survey(tmp_path / "m.safetensors", HALF)
    assert (record.dtype, record.bytes_dense) == (dtype, array.nbytes)
    assert_same(record, reference(array, HALF, 0.5))
    assert record.bytes_csr == round((1 - record.achieved) * 512) * (array.itemsize + 4) + 33 * 4


def test_a_convolution_is_viewed_as_out_and_rest():
    weights = RNG.standard_normal((8, 3, 2, 2), np.float32)
    record = one(weights, config(Row(), 0.25))
    assert (record.shape, record.weights, record.dead_rows) == ((8, 3, 2, 2), 96, 2)


def test_threshold_and_ties():
    record = one(np.array([[1.0, 2.0, 2.0, 2.0], [3.0, 4.0, 5.0, 6.0]]), config(sparsity=0.25))
    assert (record.threshold, record.ties, record.achieved) == (4, 2, 0.5)
    assert record.reason == "ties: 2 more weights share the last score to go"
    assert one(np.eye(2), config(sparsity=0.0)).threshold is None
    assert one(np.eye(2), within="row").threshold is None
    assert one(np.ones((4, 4)), config(Row())).threshold is None
    assert one(np.ones((4, 4)), config(sparsity=0.001)).threshold is None


@pytest.mark.parametrize(
    ("pattern", "sparsity", "achieved", "reason"),
    [
        (NM(n=2, m=4), 0.6, 0.5, "2:4 fixes the sparsity, whatever is asked"),
        (NM(n=2, m=4), 0.5, 0.5, ""),
        (Row(), 0.5, 0.4, "rounded down to whole rows: 2 of 5 go"),
        (Column(), 0.3, 0.25, "rounded down to whole columns: 2 of 8 go"),
        (Block(height=5, width=4), 0.9, 0.5, "rounded down to whole blocks: 1 of 2 go"),
        (Unstructured(), 0.33, 13 / 40, "rounded down to whole weights: 13 of 40 go"),
    ],
)
def test_why_asked_and_achieved_differ(pattern, sparsity, achieved, reason):
    record = one(RNG.standard_normal((5, 8)), config(pattern, sparsity))
    assert (record.asked, record.achieved, record.reason) == (sparsity, achieved, reason)


def test_rows_by_themselves_round_each():
    record = one(RNG.standard_normal((4, 5)), within="row")
    assert (record.achieved, record.ties) == (0.4, 0)
    assert record.reason == "rounded down to whole weights of each row: 8 of 20 go"


def test_bytes_of_the_storage_formats():
    weights = RNG.standard_normal((8, 16), np.float32)
    assert one(weights, config(NM(n=2, m=4))).bytes_nm == 64 * 4 + 64 * 2 // 8
    assert one(weights, config(NM(n=1, m=4))).bytes_nm is None
    assert one(RNG.standard_normal((8, 6)), config(NM(n=2, m=4))).bytes_nm is None  # groups straddle rows
    block = one(weights, config(Block(height=4, width=4)))
    assert block.bytes_block == 4 * 16 * 4 + 4 * 4 + 3 * 4
    assert block.bytes_csr == 64 * 8 + 9 * 4
    assert one(weights).bytes_block is None


def test_row_pointers_are_wide_where_they_must_be():
    from entrenar_viz.model_survey.losses import stored_bytes

    assert stored_bytes((1, 2**31), 2, 2**31 - 1, Unstructured())["bytes_csr"] == 6 * (2**31 - 1) + 2 * 4
    assert stored_bytes((1, 2**31), 2, 2**31, Unstructured())["bytes_csr"] == 6 * 2**31 + 2 * 8


def test_a_layer_of_zeros_loses_nothing():
    record = one(np.zeros((4, 4)), calibration={"fc": np.ones((2, 4))})
    assert (record.achieved, record.kept_energy, record.output_error, record.dead_rows) == (1, 1, 0, 4)


def test_outputs_beyond_float64_are_not_known():
    huge = np.full((2, 2), 1e38, np.float32)
    assert one(huge, calibration={"fc": huge}).output_error is not None
    from entrenar_viz.model_survey.losses import Tally

    assert Tally(np.zeros(2, bool), outputs=math.inf).output_error is None


# What is asked -------------------------------------------------------------------------------------------------------


def test_what_is_asked_is_what_the_trainer_has_applied_not_the_target():
    missed = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.8, frequency=30)
    weights = RNG.standard_normal((10, 10))
    assert one(weights, PruningConfig(schedule=missed)).asked == pytest.approx(0.72)
    assert one(weights, PruningConfig(schedule=missed), total_steps=40).asked == pytest.approx(0.24)
    assert one(weights, PruningConfig(schedule=Cubic(start_step=5, end_step=9, final_sparsity=0.5))).asked == 0.5


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), NM(n=2, m=3), Row()])
def test_nothing_is_pruned_where_the_trainer_never_updates(pattern):
    record = one(np.ones((4, 4)), PruningConfig(schedule=OneShot(step=50), pattern=pattern), total_steps=49)
    assert (record.asked, record.achieved, record.reason, record.ties) == (0, 0, "", 0)
    assert (record.bytes_csr, record.bytes_nm) == (16 * 12 + 20, None)


# Embeddings and broken layers ----------------------------------------------------------------------------------------


def test_output_heads_are_left_whole_too():
    records = {
        record.layer: record
        for record in iter_survey(dict.fromkeys(("lm_head.weight", "fc.weight"), RNG.standard_normal((4, 2))), HALF)
    }
    assert (records["lm_head.weight"].achieved, records["fc.weight"].achieved) == (0, 0.5)
    assert records["lm_head.weight"].reason == "left whole: 'lm_head' is in its name, and skip_embed_layers is on"


def test_embeddings_are_skipped_unread(tmp_path):
    def refuse(*rows):
        raise AssertionError("it was read")

    weights = load_weights({"embed.weight": np.ones((4, 2))})
    weights._stored["embed.weight"] = replace(weights._stored["embed.weight"], read=refuse, part=refuse)
    (record,) = iter_survey(weights, HALF)
    assert (record.achieved, record.kept_energy, record.bytes_dense, record.bytes_csr) == (0, 1, 64, None)
    assert record.reason.startswith("left whole: 'embed' is in its name")
    (pruned,) = iter_survey({"embed.weight": RNG.standard_normal((4, 2))}, config(skip_embed_layers=False))
    assert pruned.achieved == 0.5


def test_a_broken_layer_is_a_record_and_not_the_end(tmp_path):
    records = {record.layer: record for record in iter_survey(checkpoint(tmp_path), config(NM(n=2, m=4)))}
    assert list(records) == ["model.embed_tokens.weight", *(f"h.{i}.weight" for i in range(4))]
    broken, odd = records["h.2.weight"], records["h.3.weight"]
    assert broken.achieved is broken.kept_energy is broken.ties is broken.bytes_csr is None
    assert "1 of 32 weights are not finite as float32, the first is nan at [2, 3]" in broken.reason
    assert odd.reason == "2:4 does not fit: length 30 must be divisible by m = 4"
    assert records["h.0.weight"].achieved == 0.5


def test_a_bad_number_is_found_in_its_band(monkeypatch):
    monkeypatch.setattr(bands.band_starts, "__defaults__", (8,))
    weights = np.ones((6, 4), np.float32)
    weights[5, 1] = np.inf
    assert one(weights).reason == (
        "arrays: 'fc': rows 4 to 5: 1 of 8 weights are not finite as float32, the first is inf at [5, 1]"
    )


def test_a_file_that_changes_meanwhile_is_a_reason(tmp_path):
    records = iter_survey(checkpoint(tmp_path), HALF)
    save_file({"other": np.ones((2, 2))}, tmp_path / "1.safetensors")
    by_name = {record.layer: record for record in records}
    assert "has changed since it was opened" in by_name["h.0.weight"].reason
    assert by_name["h.1.weight"].achieved is not None


def test_what_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        iter_survey(tmp_path / "none.safetensors", HALF)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"config": config(method="wanda")}, "wanda needs calibration data: pass calibration="),
        ({"config": config(method="sparse_gpt")}, "sparse_gpt needs calibration data"),
        (
            {"config": config(method="minitron_depth")},
            "minitron_depth needs calibration data, and removes",
        ),
        ({"config": HALF, "within": "column"}, "within is"),
        ({"config": config(Row()), "within": "row"}, "within='row' goes with Unstructured"),
        ({"config": HALF, "calibration": {"fc": np.ones(3)}}, "3 norms for a layer of 4 columns"),
    ],
)
def test_wrong_arguments_are_refused_before_any_layer(arguments, words):
    with pytest.raises(WeightsError, match=words):
        iter_survey({"fc": np.ones((4, 4))}, **arguments)


def test_wrong_steps_are_refused():
    with pytest.raises(StepError):
        iter_survey({"fc": np.ones((4, 4))}, HALF, total_steps=-1)


def test_layers_without_calibration_are_records():
    arrays = {"a": RNG.standard_normal((4, 4)), "b": RNG.standard_normal((4, 4))}
    a, b = iter_survey(arrays, config(method="wanda"), calibration={"b": np.ones(4)})
    assert (a.achieved, a.reason) == (None, "wanda needs calibration data, which has nothing for this layer")
    assert b.achieved == 0.5


def test_calibration_that_is_no_number_is_a_reason():
    record = one(np.ones((2, 2)), calibration={"fc": np.full((3, 2), np.nan)})
    assert "6 of 6 activations are not finite" in record.reason


# Executors and progress ----------------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    return checkpoint(tmp_path)


def threads():
    return ThreadPoolExecutor(2)


def processes():
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@pytest.mark.parametrize("pool", [threads, processes])
def test_records_are_the_same_whatever_the_executor(model, pool):
    activations = {"h.0.weight": RNG.standard_normal((20, 48), np.float32)}
    arrays = {f"w{i}": RNG.standard_normal((8, 8)) for i in range(5)}
    serial = [list(iter_survey(model, HALF, calibration=activations)), list(iter_survey(arrays, HALF))]
    with pool() as executor:
        found = [
            list(iter_survey(model, HALF, calibration=activations, executor=executor)),
            list(iter_survey(arrays, HALF, executor=executor)),
        ]
    assert found == serial


def test_records_are_the_same_on_a_cluster(model):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    activations = {"h.0.weight": RNG.standard_normal((20, 48), np.float32)}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        found = list(iter_survey(model, HALF, calibration=activations, executor=client.get_executor()))
    assert found == list(iter_survey(model, HALF, calibration=activations))


class Recorder(ThreadPoolExecutor):
    """One worker that notes what it was given."""

    def __init__(self):
        super().__init__(1)
        self.futures: list[Future] = []

    def submit(self, *call):
        future = super().submit(*call)
        self.futures.append(future)
        return future


def test_a_bounded_number_of_layers_is_handed_over_and_cancelled():
    arrays = {f"w{i}": np.ones((2, 2)) for i in range(3 * AHEAD)}
    with Recorder() as executor:
        records = iter_survey(arrays, HALF, executor=executor)
        assert not executor.futures
        assert [next(records).layer for _ in range(2)] == ["w0", "w1"]
        assert len(executor.futures) == AHEAD + 2
        records.close()
        assert all(future.done() or future.running() for future in executor.futures)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_progress_can_cancel(error):
    arrays, seen = {f"w{i}": np.ones((2, 2)) for i in range(3 * AHEAD)}, []

    def progress(done, total, record):
        seen.append((done, total, record.layer))
        if done == 3:
            raise error

    with Recorder() as executor:
        with pytest.raises(error):
            survey(arrays, HALF, executor=executor, progress=progress)
        assert all(future.done() or future.running() for future in executor.futures)
    assert seen == [(1, 3 * AHEAD, "w0"), (2, 3 * AHEAD, "w1"), (3, 3 * AHEAD, "w2")]
    assert len(executor.futures) < len(arrays)


def test_a_bar_of_tqdm(capsys):
    assert len(survey({"a": np.ones((2, 2)), "b": np.ones((2, 2))}, HALF, progress=True)) == 2
    assert "2/2" in capsys.readouterr().err


def test_without_tqdm_a_bar_is_refused_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(EntrenarVizError, match=r'pip install "entrenar-viz\[survey\]"'):
        iter_survey({"a": np.ones((2, 2))}, HALF, progress=True)


# The table -----------------------------------------------------------------------------------------------------------


def test_the_table_has_the_fields_as_columns(model):
    frame, records = survey(model, HALF), list(iter_survey(model, HALF))
    assert list(frame.columns) == list(asdict(records[0]))
    assert list(frame["layer"]) == [record.layer for record in records]
    assert str(frame["ties"].dtype) == "Int64"
    assert frame["achieved"].isna().tolist() == [record.achieved is None for record in records]
    assert frame["bytes_nm"].isna().all()


def test_without_pandas_the_records_are_still_to_be_had(monkeypatch, model):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EntrenarVizError, match=r"needs pandas: pip install .+ or take the records of iter_survey"):
        survey(model, HALF)
    assert len(list(iter_survey(model, HALF))) == len(load_weights(model))


# Memory --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=4, width=4), Row(), Column()])
def test_memory_does_not_grow_with_the_layer(tmp_path, pattern):
    import tracemalloc

    save_file({"fc": RNG.standard_normal((8192, 512), np.float32)}, tmp_path / "m.safetensors")  # 16.8 MB
    tracemalloc.start()
    try:
        (record,) = iter_survey(tmp_path / "m.safetensors", config(pattern))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert record.achieved == pytest.approx(0.5, abs=1e-3)
    assert peak < 14e6
