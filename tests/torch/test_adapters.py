"""The callbacks for Lightning and for the Trainer of transformers, in real trainings of a few steps."""

import logging
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from entrenar_viz import EntrenarVizError, replay
from entrenar_viz.torch.training_length import batches_of
from tests.plan.by_hand import layer, plan
from tests.torch.networks import gradual, perceptron

lightning = pytest.importorskip("lightning.pytorch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from entrenar_viz.torch import lightning_callback, transformers_callback  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of the trainers: workers, loggers, devices
CONFIG = gradual(0.8, 0, 20, 5)  # updates at the batches 5, 10, 15 and 20
ROWS = torch.randn(20, 16, generator=torch.Generator().manual_seed(0))  # 10 batches of 2 an epoch
LABELS = torch.arange(20) % 4
EXPECTED = replay(CONFIG, 20).final_sparsity


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    monkeypatch.setenv("WANDB_DISABLED", "true")


class Wrapped(nn.Module):
    """What the Trainer of transformers takes: a loss in a dict."""

    def __init__(self):
        super().__init__()
        self.net = perceptron()

    def forward(self, x, labels):
        logits = self.net(x)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


class Lit(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = perceptron()

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def steps_with_loss(pruner):
    return np.asarray(pruner.log.steps)[~np.isnan(pruner.log.metric("loss"))].tolist()


def assert_pruned(model):
    for weights in (model.net[0].weight, model.net[2].weight):
        assert int((weights == 0).sum()) == int(np.float32(weights.numel()) * np.float32(0.8))


def hugging(folder, callback, model, **arguments):
    data = [{"x": row, "labels": label} for row, label in zip(ROWS, LABELS, strict=True)]
    given = {"per_device_train_batch_size": 2, "num_train_epochs": 2, "report_to": [], "use_cpu": True} | arguments
    settings = transformers.TrainingArguments(str(folder), disable_tqdm=True, logging_steps=1, **given)
    return transformers.Trainer(model, settings, train_dataset=data, callbacks=[callback])


def lit(folder, callback, **arguments):
    given = {"max_epochs": 2, "log_every_n_steps": 5} | arguments
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    return lightning.Trainer(default_root_dir=folder, callbacks=[callback], **quiet, **given)


def loader():
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(ROWS, LABELS), batch_size=2)


@pytest.mark.parametrize("accumulation", [1, 2, 4])
def test_the_trainer_of_transformers_prunes_by_batches(tmp_path, accumulation):
    callback, model = transformers_callback.PruningCallback(CONFIG), Wrapped()
    arguments = {"gradient_accumulation_steps": accumulation, "save_strategy": "no"}
    hugging(tmp_path, callback, model, **arguments).train()
    pruner = callback.pruner
    assert (pruner.total_steps, pruner.step_count, pruner.sparsity) == (20, 20, EXPECTED)
    assert_pruned(model)
    assert len(steps_with_loss(pruner)) == 2 * -(-10 // accumulation)


def test_both_take_a_plan(tmp_path):
    by = plan(layer("net.0.weight", (32, 16), 0.75), layer("net.2.weight", (4, 32), skip=True))
    hug, lite = (module.PruningCallback(CONFIG, plan=by) for module in (transformers_callback, lightning_callback))
    hugging(tmp_path, hug, Wrapped(), save_strategy="no").train()
    lit(tmp_path, lite, enable_checkpointing=False).fit(Lit(), loader())
    for callback in (hug, lite):
        assert callback.pruner.plan == by
        assert callback.pruner.names == ["net.0.weight"]
        assert callback.pruner.achieved == 0.75


@pytest.mark.parametrize("accumulation", [1, 4])
def test_lightning_prunes_by_batches(tmp_path, accumulation):
    callback, module = lightning_callback.PruningCallback(CONFIG), Lit()
    trainer = lit(tmp_path, callback, accumulate_grad_batches=accumulation, enable_checkpointing=False)
    trainer.fit(module, loader())
    pruner = callback.pruner
    assert (pruner.total_steps, pruner.step_count, pruner.sparsity) == (20, 20, EXPECTED)
    assert_pruned(module)
    assert steps_with_loss(pruner) == [5, 10, 15, 20]


def test_transformers_goes_on_from_a_checkpoint_with_what_has_gone(tmp_path):
    whole, stopped, resumed = Wrapped(), Wrapped(), Wrapped()
    steps = {"save_strategy": "steps", "save_steps": 12, "seed": 3}
    hugging(tmp_path / "a", transformers_callback.PruningCallback(CONFIG), whole, **steps).train()
    hugging(tmp_path / "b", transformers_callback.PruningCallback(CONFIG), stopped, **steps).train()
    callback = transformers_callback.PruningCallback(CONFIG)
    hugging(tmp_path / "b", callback, resumed, **steps).train(str(tmp_path / "b" / "checkpoint-12"))
    assert callback.pruner.step_count == 20
    assert_pruned(resumed)
    for before, after in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(before, after)
    (tmp_path / "b" / "checkpoint-12" / "pruner.pt").rename(tmp_path / "elsewhere.pt")
    trainer = hugging(tmp_path / "b", transformers_callback.PruningCallback(CONFIG), Wrapped(), **steps)
    with pytest.raises(EntrenarVizError, match=r"the state of the pruner is not there: pass PruningCallback"):
        trainer.train(str(tmp_path / "b" / "checkpoint-12"))
    given = transformers_callback.PruningCallback(CONFIG, state=torch.load(tmp_path / "elsewhere.pt"))
    hugging(tmp_path / "b", given, Wrapped(), **steps).train(str(tmp_path / "b" / "checkpoint-12"))
    assert given.pruner.sparsity == callback.pruner.sparsity


def test_lightning_goes_on_from_a_checkpoint_with_what_has_gone(tmp_path):
    whole, stopped, resumed = Lit(), Lit(), Lit()
    lit(tmp_path, lightning_callback.PruningCallback(CONFIG), enable_checkpointing=False).fit(whole, loader())
    keeper = lightning.callbacks.ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=10, save_top_k=-1)
    trainer = lit(tmp_path, lightning_callback.PruningCallback(CONFIG))
    trainer.callbacks.append(keeper)
    trainer.fit(stopped, loader())
    callback = lightning_callback.PruningCallback(CONFIG)
    lit(tmp_path, callback).fit(resumed, loader(), ckpt_path=tmp_path / "step=10.ckpt", weights_only=True)
    assert (callback.pruner.step_count, callback.pruner.sparsity) == (20, EXPECTED)
    assert_pruned(resumed)
    for before, after in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(before, after)


def test_lightning_starts_anew_after_a_training_that_was_resumed(tmp_path):
    callback = lightning_callback.PruningCallback(CONFIG)
    trainer = lit(tmp_path, callback)
    trainer.fit(Lit(), loader())
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    callback.load_state_dict(torch.load(tmp_path / "end.ckpt", weights_only=True)["callbacks"][callback.state_key])
    lit(tmp_path, callback, enable_checkpointing=False).fit(Lit(), loader())
    assert callback.pruner.step_count == 40  # the 20 of the checkpoint among them
    lit(tmp_path, callback, enable_checkpointing=False).fit(Lit(), loader())
    assert callback.pruner.step_count == 20


def test_lightning_without_an_end_is_refused(tmp_path):
    trainer = lit(tmp_path, lightning_callback.PruningCallback(CONFIG), max_epochs=-1, enable_checkpointing=False)
    with pytest.raises(EntrenarVizError, match="the length of the training is not known: give the Trainer max_steps"):
        trainer.fit(Lit(), loader())


@pytest.mark.parametrize(
    ("updates", "in_epoch", "accumulation", "batches"),
    [(20, 10, 1, 20), (6, 10, 4, 20), (4, 10, 4, 14), (7, None, 3, 21), (5, 3, 4, 15)],
)
def test_the_batches_of_a_training_follow_from_the_steps_of_its_optimizer(updates, in_epoch, accumulation, batches):
    assert batches_of(updates, in_epoch, accumulation) == batches


@pytest.mark.parametrize(
    ("missing", "module", "words"),
    [
        ("transformers", "transformers_callback", "pip install transformers accelerate"),
        ("lightning.pytorch", "lightning_callback", "pip install lightning"),
    ],
)
def test_without_the_package_it_says_what_to_install(missing, module, words):
    code = f"import sys; sys.modules[{missing!r}] = None; import entrenar_viz.torch.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
    assert words in done.stderr
