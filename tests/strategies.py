"""Hypothesis strategies for schedules and configurations: small steps, so that windows and trainings collide."""

from hypothesis import strategies as st

from entrenar_viz import METHODS, NM, Block, Column, Cubic, Gradual, OneShot, PruningConfig, Row, Unstructured

STEPS = st.integers(0, 12_000)
FRACTIONS = st.one_of(st.sampled_from([0.0, 0.5, 0.7, 0.29, 1.0]), st.floats(0, 1), st.floats(0, 1, width=32))


@st.composite
def windows(draw, steps=STEPS):
    start = draw(steps)
    return {"start_step": start, "end_step": min(start + 1 + draw(steps), 2**64 - 1)}


def one_shots(steps=STEPS):
    return st.builds(OneShot, step=steps)


def graduals(steps=STEPS):
    fields = {"initial_sparsity": FRACTIONS, "final_sparsity": FRACTIONS}
    every = st.one_of(st.integers(0, 50), steps)
    return st.builds(lambda window, **rest: Gradual(**window, **rest), windows(steps), frequency=every, **fields)


def cubics(steps=STEPS):
    return st.builds(lambda window, final: Cubic(**window, final_sparsity=final), windows(steps), FRACTIONS)


def schedules(steps=STEPS):
    return st.one_of(one_shots(steps), graduals(steps), cubics(steps))


def patterns():
    nm = st.integers(1, 16).flatmap(lambda m: st.builds(NM, n=st.integers(0, m - 1), m=st.just(m)))
    block = st.builds(Block, height=st.integers(1, 9), width=st.integers(1, 9))
    return st.one_of(nm, block, st.sampled_from([Unstructured(), Row(), Column()]))


def configs(steps=STEPS):
    return st.builds(
        PruningConfig,
        method=st.sampled_from(METHODS),
        target_sparsity=FRACTIONS,
        pattern=patterns(),
        schedule=schedules(steps),
        fine_tune_after_pruning=st.booleans(),
        fine_tune_steps=steps,
        fine_tune_lr=st.floats(-1, 1),
        skip_embed_layers=st.booleans(),
    )
