"""The cells that the pictured states of the explorer start from."""

from tests.browser.test_background_job import SHOW as HELD

EXPLORER = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
IMPORTS = """
import numpy as np
from entrenar_viz import Cubic, Explorer, Gradual, PruningConfig, Training, sample, sample_calibration
"""
CALIBRATED = f"""{IMPORTS}
cubic = Cubic(start_step=1000, end_step=6000, final_sparsity=0.8)
config = PruningConfig(method="wanda", target_sparsity=0.8, schedule=cubic)
network = {{"weights": sample("digits network"), "calibration": sample_calibration("digits network")}}
explorer = Explorer(config, **network)
"""
LARGE = f"""{IMPORTS}
missed = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
layer = np.random.default_rng(0).standard_t(3, (768, 1024)).astype("f4")
explorer = Explorer(PruningConfig(schedule=missed), weights={{"q_proj": layer}})
explorer"""
REHEARSED = f"""{IMPORTS}
gradual = Gradual(start_step=2000, end_step=7000, initial_sparsity=0.0, final_sparsity=0.95, frequency=500)
explorer = Explorer(PruningConfig(target_sparsity=0.95, schedule=gradual), total_steps=10_000)
explorer"""
PATTERNS = "explorer._parts.masks.masks_of.value = explorer._parts.masks.masks_of.options[1][1]"
PINNED = f"""{IMPORTS}
explorer = Explorer()
explorer.pin("first idea")
explorer.load(PruningConfig(schedule=Cubic(start_step=500, end_step=6000, final_sparsity=0.7)), 10_000)
explorer.pin()
explorer.load(
    PruningConfig(
        target_sparsity=0.6,
        schedule=Gradual(start_step=2000, end_step=6000, initial_sparsity=0.1, final_sparsity=0.6, frequency=400),
    ),
    10_000,
)
explorer"""
MANY = f"""{IMPORTS}
training = Training(dataset_size=50_000, batch_size=64, epochs=10)
explorer = Explorer(training=training)
explorer"""
FOUND = f"""{IMPORTS}
late = Gradual(start_step=1000, end_step=9000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
explorer = Explorer(PruningConfig(method="wanda", target_sparsity=0.7, schedule=late))
explorer"""
MODEL = f"""{IMPORTS}
rng = np.random.default_rng(1)
names = [f"layers.{{i}}.{{part}}_proj" for i in range(3) for part in "qkv"]
weights = {{name: rng.standard_normal((64, 48)) * rng.gamma(2, size=(64, 48)) ** (i % 7 / 3)
           for i, name in enumerate(names)}}
explorer = Explorer(weights=weights | {{"layers.3.q_proj": np.full((4, 4), np.nan)}})
explorer"""
LAYERS = f"""{IMPORTS}
values = np.random.default_rng(0).standard_normal((64, 48)).astype("f4")
explorer = Explorer(weights={{f"layers.{{i}}.{{part}}_proj": values for i in range(8) for part in "qkv"}})
explorer"""
HELD_MODEL = HELD.replace("held by the test", "putting them in order").replace(
    "explorer = Explorer()",
    """import numpy as np
np.save("q_proj.npy", np.random.default_rng(0).standard_normal((2048, 2048), dtype="f4"))
explorer = Explorer()""",
)
LOGGED = f"""{IMPORTS}
from entrenar_viz import TrainingLog, replay
gradual = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=500)
plan = PruningConfig(schedule=gradual)
log, planned, rng = TrainingLog(plan, total_steps=10_000), replay(plan, 10_000), np.random.default_rng(0)
updates = np.array([1500, 2000, 2500, 3800, 4000])
for step in range(50, 8201, 50):
    applied = planned.applied_at(2999 if 3000 <= step < 3800 else step)
    loss = 0.2 + 2.2 * np.exp(-step / 1400) + 0.02 * rng.normal()
    loss += 0.25 * np.exp((updates[updates <= step] - step) / 250).sum()
    log.add(step, min(applied, np.float32(0.42)), loss=loss, accuracy=0.95 - 0.8 * np.exp(-step / 1200))
log.save("run.jsonl", overwrite=True)
"""
BARS = """
from itertools import count
import numpy as np
from entrenar_viz import Explorer
from entrenar_viz.explorer.browser.layer_bars import LayerBars

ROLES = {"self_attn.q_proj": (64, 64), "self_attn.k_proj": (16, 64), "self_attn.v_proj": (16, 64),
         "self_attn.o_proj": (64, 64), "mlp.gate_proj": (172, 64), "mlp.up_proj": (172, 64), "mlp.down_proj": (64, 172)}

def layer(i):
    block, role = f"model.layers.{i // 7}", list(ROLES)[i % 7]
    rows, columns = ROLES[role]
    return {"name": f"{block}.{role}.weight", "weights": rows * columns, "shape": [rows, columns], "block": block,
            "role": role}

def curve(i, error):
    s = np.array([0, .2, .4, .6, .7, .8, .85, .9, .95, .99])
    kept = 1 - s ** (2.2 + 2.5 * np.sin(1.7 * i) ** 2)
    return {"achieved": s.tolist(), "kept": kept.tolist(), "error": (s ** 3).tolist() if error else None,
            "knee": 0.7 + 0.2 * np.sin(i) ** 2}

def show(number, sparsity=0.8, error=True, uneven=0.0):
    layers = [layer(i) for i in range(number)]
    weights = np.array([one["weights"] for one in layers])
    wanted = weights * np.clip(sparsity + uneven * np.sin(2.3 * np.arange(number)), 0.02, 0.99)
    pruned = np.floor(wanted * (sparsity * weights.sum() / wanted.sum())).astype(int)
    pruned[-1] += int(np.floor(sparsity * weights.sum() + 0.5)) - pruned.sum()
    told.clear()
    page = f"plan {next(made)}"
    bars.fill(layers, [curve(i, error) for i in range(number)],
              {"page": page, "told": 0, "sparsity": sparsity, "pruned": pruned.tolist(), "skipped": [], "locked": [],
               "least": [0] * number, "most": weights.tolist(), "undo": False, "redo": False})
    return page

def answer(content, **changes):
    own = {name: content[name] for name in ("page", "told", "pruned", "skipped", "locked")}
    bars.tell(bars.plan | own | {"undo": True} | changes)

explorer = Explorer()
bars, told, made = LayerBars(explorer._parts.live), [], count()
bars.on_msg(lambda _, content, __: told.append(content))
show(24, uneven=0.15)
explorer._parts.layers.children = (bars,)
explorer._parts.tabs.open_tab("Layers")
explorer"""
PLANNED = f"""{IMPORTS}
cubic = Cubic(start_step=1000, end_step=6000, final_sparsity=0.8)
network = {{"weights": sample("digits network"), "calibration": sample_calibration("digits network")}}
explorer = Explorer(PruningConfig(target_sparsity=0.8, schedule=cubic), **network)
explorer"""
MANY_LAYERS = f"""{IMPORTS}
rng = np.random.default_rng(3)
ROLES = {{"self_attn.q_proj": (48, 48), "self_attn.k_proj": (16, 48), "self_attn.v_proj": (16, 48),
         "self_attn.o_proj": (48, 48), "mlp.gate_proj": (128, 48), "mlp.up_proj": (128, 48),
         "mlp.down_proj": (48, 128)}}
weights = {{"model.embed_tokens.weight": rng.standard_normal((96, 48), dtype="f4")}}
for i in range(28):
    for part, (role, shape) in enumerate(ROLES.items()):
        spread = rng.gamma(2, size=shape) ** (i / 14 + part / 6)
        weights[f"model.layers.{{i}}.{{role}}.weight"] = (rng.standard_normal(shape) * spread).astype("f4")
cubic = Cubic(start_step=1000, end_step=6000, final_sparsity=0.7)
explorer = Explorer(PruningConfig(target_sparsity=0.7, schedule=cubic), weights=weights)
explorer"""
