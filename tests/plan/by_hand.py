"""Plans written down by hand, for tests of what follows them."""

from entrenar_viz import Plan, PlannedLayer, PlanOrigin


def layer(name, shape, sparsity=0.0, **fields):
    return PlannedLayer(name=name, shape=shape, sparsity=sparsity, **fields)


def plan(*layers, method="by hand", sparsity=0.5):
    return Plan(origin=PlanOrigin(method=method, sparsity=sparsity), layers=layers)
