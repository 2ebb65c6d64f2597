"""The real models in memory, shared by all visitors."""

import os
from functools import partial

import streamlit as st

from attention import pretrained
from attention.pretrained import Pretrained, Unavailable
from pages.ui.background import Job, Workshop

OWN_MACHINE = ("localhost", "127.0.0.1", "::1")  # where no other machine's visitors come from
_models: Workshop[Pretrained] = Workshop(most=2)


def load(name: str) -> Job[Pretrained]:
    """The job that loads a model: ended, under way, or begun now. Its error is of pretrained.Unavailable."""
    return _models.job(name, partial(_load, name))


def loaded(name: str) -> Pretrained | None:
    """A model that is in memory."""
    job = _models.find(name)
    return job.result if job else None


def forget(name: str) -> None:
    """Let a model that could not be loaded be tried again."""
    _models.forget(name)


def _load(name: str, job: Job[Pretrained]) -> Pretrained:
    if st.get_option("server.address") not in OWN_MACHINE and os.path.isdir(os.path.expanduser(name)):
        raise Unavailable("name", "a server that other machines can reach opens no folders, only models of the hub")
    return pretrained.load(name, lambda _, share: job.tell(share))
