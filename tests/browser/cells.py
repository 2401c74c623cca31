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
