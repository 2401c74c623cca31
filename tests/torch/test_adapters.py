"""The Trainers of transformers and of Lightning carry a configuration out: batches counted, zeros kept, resumed."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from entrenar_viz import EntrenarVizError
from tests.torch.networks import config, gradual, perceptron, weights_of

pytestmark = pytest.mark.filterwarnings("ignore")  # of frameworks that tell of many things

STEPS = 24
DATA = TensorDataset(
    torch.randn(192, 16, generator=torch.Generator().manual_seed(0)),
    torch.arange(192) % 4,
)


def zeros(model, names):
    return {name: int((weights == 0).sum()) for name, weights in weights_of(model).items() if name.endswith(names)}


# transformers --------------------------------------------------------------------------------------------------------


class Classifier(nn.Module):
    """What the Trainer takes: called with names, returns the loss first."""

    def __init__(self):
        super().__init__()
        self.net = perceptron()

    def forward(self, x, labels=None):
        logits = self.net(x)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def trainer(folder, callback, **fields):
    from transformers import Trainer, TrainingArguments

    fixed = {
        "per_device_train_batch_size": 8,
        "num_train_epochs": 1,
        "logging_steps": 4,
        "save_steps": 8,
        "report_to": [],
        "use_cpu": True,
        "seed": 1,
        "disable_tqdm": True,
    }
    given = TrainingArguments(output_dir=str(folder), **fixed | fields)
    rows = [{"x": x, "labels": y} for x, y in DATA]
    return Trainer(model=Classifier(), args=given, train_dataset=rows, callbacks=[callback])


def test_the_trainer_of_transformers_prunes(tmp_path, capsys):
    from entrenar_viz.torch.transformers_callback import PrunerCallback

    callback = PrunerCallback(gradual(0.5, 4, 16, 4))
    running = trainer(tmp_path, callback)
    running.train()
    pruner = callback.pruner
    assert (pruner.step_count, pruner.total_steps, pruner.sparsity) == (STEPS, STEPS, 0.5)
    assert zeros(running.model, "weight") == {"net.0.weight": 256, "net.2.weight": 64}
    assert [row[0] for row in pruner.log.rows if "loss" in row[2]] == [4, 8, 12, 16, 20, 24]


@pytest.mark.parametrize(("accumulate", "epochs", "batches"), [(4, 1, 24), (5, 2, 48)])
def test_a_step_is_a_batch_of_the_trainer_of_transformers(tmp_path, accumulate, epochs, batches):
    from entrenar_viz.torch.transformers_callback import PrunerCallback

    callback = PrunerCallback(gradual(0.5, 4, 16, 4))
    trainer(tmp_path, callback, gradient_accumulation_steps=accumulate, num_train_epochs=epochs).train()
    assert (callback.pruner.step_count, callback.pruner.total_steps) == (batches, batches)


def test_a_training_of_transformers_is_resumed_with_its_masks(tmp_path):
    from entrenar_viz.torch.transformers_callback import PrunerCallback

    asked = gradual(0.8, 4, 24, 4)
    whole = trainer(tmp_path / "whole", PrunerCallback(asked))
    whole.train()
    callback = PrunerCallback(asked)
    resumed = trainer(tmp_path / "whole", callback)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-16"))
    assert callback.pruner.step_count == STEPS
    for name, weights in weights_of(whole.model).items():
        torch.testing.assert_close(weights_of(resumed.model)[name], weights, rtol=0, atol=0)
    (tmp_path / "whole" / "checkpoint-8" / "pruner.pt").unlink()
    with pytest.raises(EntrenarVizError, match=r"pruner\.pt is missing"):
        trainer(tmp_path / "whole", PrunerCallback(asked)).train(
            resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-8")
        )


# Lightning -----------------------------------------------------------------------------------------------------------


def lit(folder, callback, **fields):
    from lightning.pytorch import LightningModule, Trainer

    class Module(LightningModule):
        def __init__(self):
            super().__init__()
            self.net = perceptron()

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.01)

    fixed = {
        "max_epochs": 1,
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "gradient_clip_val": 0.5,
        "default_root_dir": folder,
    }
    model = Module()
    return model, Trainer(callbacks=callback if isinstance(callback, list) else [callback], **fixed | fields)


def batches_of_data():
    return DataLoader(DATA, batch_size=8)


def test_the_trainer_of_lightning_prunes(tmp_path):
    from entrenar_viz.torch.lightning_callback import PrunerCallback

    callback = PrunerCallback(gradual(0.5, 4, 16, 4), log_every=4)
    model, running = lit(tmp_path, callback, accumulate_grad_batches=3)
    running.fit(model, batches_of_data())
    pruner = callback.pruner
    assert (pruner.step_count, pruner.total_steps, pruner.sparsity) == (STEPS, STEPS, 0.5)
    assert zeros(model, "weight") == {"net.0.weight": 256, "net.2.weight": 64}
    assert [row[0] for row in pruner.log.rows if "loss" in row[2]] == [4, 8, 12, 16, 20, 24]


def test_a_training_of_lightning_is_resumed_with_its_masks(tmp_path):
    from lightning.pytorch.callbacks import ModelCheckpoint

    from entrenar_viz.torch.lightning_callback import PrunerCallback

    asked = gradual(0.8, 4, 44, 4)  # Lightning resumes at the end of an epoch: it does not look for a batch
    kept = ModelCheckpoint(tmp_path / "kept", every_n_epochs=1, save_top_k=-1, save_on_train_epoch_end=True)
    whole, running = lit(tmp_path, [PrunerCallback(asked), kept], max_epochs=2)
    running.fit(whole, batches_of_data())
    callback = PrunerCallback(asked)
    resumed, running = lit(tmp_path, callback, max_epochs=2)
    (first,) = (tmp_path / "kept").glob("*step=24.ckpt")
    running.fit(resumed, batches_of_data(), ckpt_path=first)
    assert callback.pruner.step_count == 2 * STEPS
    for name, weights in weights_of(whole).items():
        torch.testing.assert_close(weights_of(resumed)[name], weights, rtol=0, atol=0)


def test_a_training_without_an_end_is_refused(tmp_path):
    from entrenar_viz.torch.lightning_callback import PrunerCallback

    model, running = lit(tmp_path, PrunerCallback(config()), max_epochs=-1)
    with pytest.raises(EntrenarVizError, match="the training has no end"):
        running.fit(model, batches_of_data())
